import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.transforms import RandScaledCropd, scaled_crop


def pair(*shape):
    labels = torch.arange(int(np.prod(shape)), dtype=torch.int32).reshape(1, *shape)
    return {"image": labels.float(), "label": labels}


@settings(max_examples=60)
@given(st.lists(st.integers(1, 70), min_size=2, max_size=3), st.integers(1, 24), st.integers(0, 99))
def test_any_image_gives_the_size_and_keeps_ids(shape, side, seed):
    data = pair(*shape)
    crop = RandScaledCropd(["image", "label"], [side] * len(shape), zoom=(0.5, 2.0)).set_random_state(seed)
    result = crop(data)
    assert result["image"].shape == result["label"].shape == (1, *[side] * len(shape))
    assert result["label"].dtype == torch.int32
    assert np.isin(result["label"].numpy(), data["label"].numpy()).all()  # 0 is among them
    assert result["image"].min() >= -1e-3
    assert result["image"].max() <= data["image"].max() * 1.001


def test_scale_one_cuts_out_pixels_as_they_are():
    data = pair(50, 60)
    result = RandScaledCropd(["image", "label"], (16, 20), zoom=(1.0, 1.0)).set_random_state(0)(data)
    first = int(result["label"][0, 0, 0])
    y, x = divmod(first, 60)
    assert torch.equal(result["label"], data["label"][:, y : y + 16, x : x + 20])
    torch.testing.assert_close(result["image"], result["label"].float())


@pytest.mark.parametrize("zoom", [0.5, 2.0])
def test_image_and_labels_are_scaled_alike(zoom):
    """An object of its own brightness: its pixels are where its id is, but for one at its outline."""
    labels = torch.zeros(1, 128, 128, dtype=torch.int32)
    labels[0, 40:80, 50:90] = 7
    data = {"image": labels.float(), "label": labels}
    result = RandScaledCropd(["image", "label"], (60, 60), zoom=(zoom, zoom)).set_random_state(2)(data)
    assert (result["label"] == 7).any()
    differ = (result["image"] > 3.5) != (result["label"] == 7)
    assert differ.float().mean() < 0.03


def test_scales_are_even_on_a_logarithmic_scale_and_every_place_is_drawn():
    crop = RandScaledCropd("image", (4, 4), (0.25, 4.0), "linear").set_random_state(0)
    still = RandScaledCropd("image", (4, 4), (1.0, 1.0), "linear").set_random_state(0)
    factors, places = [], set()
    for _ in range(300):
        crop.randomize((40, 40))
        still.randomize((6, 5))
        factors.append(crop.factor)
        places.add(tuple(side.start for side in still.window))
    assert np.mean(np.array(factors) < 1) == pytest.approx(0.5, abs=0.1)
    assert places == {(y, x) for y in range(3) for x in range(2)}


def test_zooming_out_stops_where_the_image_ends():
    data = pair(40, 40)
    crop = RandScaledCropd(["image", "label"], (32, 32), zoom=(0.1, 1.0)).set_random_state(0)
    for _ in range(20):
        crop(data)
        assert 0.8 - 1e-6 <= crop.factor <= 1.0


@pytest.mark.parametrize("zoom", [1, 2])
def test_an_image_that_is_too_small_is_padded_behind_and_not_stretched(zoom):
    image = torch.arange(1.0, 401).view(1, 10, 40)
    crop = RandScaledCropd(["image", "label"], (32, 32), zoom=(zoom, zoom)).set_random_state(0)
    result = crop({"image": image, "label": image.int()})
    inside = image.repeat_interleave(zoom, 1).repeat_interleave(zoom, 2)[..., zoom * crop.window[1].start :][..., :32]
    assert torch.equal(result["label"][:, : 10 * zoom].float(), inside)
    for key in ("image", "label"):
        assert (result[key][:, : 10 * zoom] > 0).all()
        assert (result[key][:, 10 * zoom :] == 0).all()


def test_one_seed_gives_one_crop_and_the_input_stays():
    data = {key: MetaTensor(value) for key, value in pair(40, 50).items()}
    before = data["image"].clone()
    first, second = (RandScaledCropd(["image", "label"], (16, 16)).set_random_state(5)(data) for _ in range(2))
    assert torch.equal(first["image"], second["image"])
    assert torch.equal(data["image"], before)
    assert isinstance(first["label"], MetaTensor)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"zoom": (2.0, 1.0)}, "zoom"),
        ({"zoom": (0.0, 1.0)}, "zoom"),
        ({"mode": "cubic"}, "mode"),
        ({"size": (0, 4)}, "size"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        RandScaledCropd(**{"keys": ["image", "label"], "size": (4, 4)} | arguments)


def test_refuses_keys_that_differ():
    with pytest.raises(InputError, match="label"):
        RandScaledCropd(["image", "label"], (4, 4))({"image": torch.zeros(1, 9, 9), "label": torch.zeros(1, 9, 8)})
    with pytest.raises(InputError, match="size"):
        RandScaledCropd("image", (4, 4), mode="linear")({"image": torch.zeros(1, 9, 9, 9)})


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.sampled_from([((192, 192), (0.5, 2.0)), ((12, 20, 20), (0.8, 1.4))]))
def test_no_padding_where_the_image_is_large_enough(seed, sizes):
    size, zoom = sizes
    image = torch.ones(1, *[2 * n + 8 for n in size])
    result = RandScaledCropd("image", size, zoom, "nearest").set_random_state(seed)({"image": image})["image"]
    assert (result == 1).all()


@pytest.mark.parametrize("zoom", [0.5, 1.7])
def test_the_affine_tells_where_each_pixel_was(zoom):
    affine = torch.tensor([[0.5, 0, 0, 3], [0, 0.25, 0, -2], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float64)
    place = torch.stack(torch.meshgrid(torch.arange(90.0), torch.arange(80.0), indexing="ij"))
    image = MetaTensor(place, affine=affine)
    result = RandScaledCropd("image", (30, 40), (zoom, zoom), "linear").set_random_state(1)({"image": image})["image"]
    for index in [(10, 12), (20, 30)]:
        before = torch.tensor([*result[(slice(None), *index)].tolist(), 0, 1], dtype=torch.float64)
        after = torch.tensor([*index, 0, 1], dtype=torch.float64)
        torch.testing.assert_close(result.affine @ after, affine @ before, atol=0.02, rtol=0)


def test_keys_agree_when_another_thread_draws_between_them(monkeypatch):
    crop = RandScaledCropd(["image", "label"], (8, 8), mode="nearest").set_random_state(0)

    def interrupted(*args, plain=scaled_crop._resized):
        crop.randomize((40, 40))  # another thread crops its image
        return plain(*args)

    monkeypatch.setattr(scaled_crop, "_resized", interrupted)
    item = crop(pair(40, 40))
    assert torch.equal(item["image"].int(), item["label"])
