import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose

from medseg.errors import InputError
from medseg.transforms import RandElasticDeformation, RandElasticDeformationd, elastic
from medseg.transforms.warp import warp


@pytest.mark.parametrize("shape", [(1, 37, 50), (2, 12, 20, 17)])
@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bicubic"])
def test_sigma_zero_changes_no_bit(shape, mode):
    image = torch.rand(shape)
    assert torch.equal(RandElasticDeformation(sigma=0, prob=1, mode=mode)(image), image)


def test_displacement_at_control_points_has_the_sigma_asked_for():
    deform = RandElasticDeformation(sigma=(4, 10), prob=1, prevent_folding=False).set_random_state(0)
    draws = []
    for _ in range(600):
        deform.randomize((65, 65))
        draws.append(deform.displacement((65, 65))[:, ::32, ::32].numpy())
    draws = np.array(draws)  # (600, 2, 3, 3): 5400 independent values per component
    assert draws[:, 0].std() == pytest.approx(4, rel=0.04)
    assert draws[:, 1].std() == pytest.approx(10, rel=0.04)
    assert abs(draws.mean((0, 2, 3)) / (4, 10)).max() < 0.06
    assert abs(np.corrcoef(draws.reshape(600, 18).T) - np.eye(18)).max() < 0.2


def test_image_and_labels_move_together_and_labels_stay_labels():
    yy, xx = np.mgrid[:120, :130]
    label = ((yy // 30) * 5 + xx // 30 + 1).astype(np.uint16)[None] * 3000
    image = torch.from_numpy(label.astype(np.float32))
    both = RandElasticDeformationd(["image", "label"], prob=1, mode=["bilinear", "nearest"]).set_random_state(1)
    out = both({"image": image, "label": torch.from_numpy(label)})
    assert out["label"].dtype == torch.uint16
    values = out["label"].numpy()
    assert np.isin(values, label).all()
    assert (values != label).mean() > 0.02
    # where the interpolated image equals a label, it is this pixel's label: same field for both
    inside = np.isin(out["image"].numpy(), label)
    assert inside.mean() > 0.6
    assert (out["image"].numpy()[inside] == values[inside]).mean() > 0.999


def test_array_form_is_the_warp_by_its_displacement_and_repeats():
    image = torch.rand(2, 40, 44)
    deform = RandElasticDeformation(sigma=3, prob=1).set_random_state(5)
    out = deform(image)
    torch.testing.assert_close(out.as_tensor(), warp(image, deform.displacement((40, 44))))
    assert torch.equal(deform(image, randomize=False), out)
    assert not torch.equal(deform(image), out)


def test_seed_repeats_and_a_pipeline_seeds_the_inside():
    image = torch.rand(1, 30, 30)
    pipes = [Compose([RandElasticDeformationd("image", prob=0.5)]).set_random_state(7) for _ in range(2)]
    for _ in range(8):
        first, second = (pipe({"image": image})["image"] for pipe in pipes)
        assert torch.equal(first, second)


def test_prob():
    image = torch.rand(1, 16, 16)
    deform = RandElasticDeformation(sigma=3, prob=0.3).set_random_state(0)
    share = np.mean([not torch.equal(deform(image), image) for _ in range(400)])
    assert share == pytest.approx(0.3, abs=0.08)
    assert torch.equal(RandElasticDeformation(prob=0)(image), image)
    both = RandElasticDeformationd("image", sigma=3, prob=0.3).set_random_state(0)
    share = np.mean([not torch.equal(both({"image": image})["image"], image) for _ in range(400)])
    assert share == pytest.approx(0.3, abs=0.08)


def test_type_does_not_depend_on_the_draw():
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    for prob in (0, 1):
        assert RandElasticDeformation(prob=prob)(image).dtype == torch.float32
        assert RandElasticDeformation(prob=prob, mode="nearest")(image).dtype == torch.uint8


def test_physical_units_follow_the_affine():
    image = MetaTensor(torch.rand(1, 20, 64, 64), affine=torch.diag(torch.tensor([4.0, 0.5, 0.5, 1])))
    physical = RandElasticDeformation(sigma=2, units="physical", prob=1, prevent_folding=False)
    physical.set_random_state(3)(image)
    pixels = RandElasticDeformation(sigma=(0.5, 4, 4), prob=1, prevent_folding=False)
    pixels.set_random_state(3)(image)
    np.testing.assert_allclose(physical.control, pixels.control)
    given = RandElasticDeformation(sigma=2, units="physical", spacing=(4, 0.5, 0.5), prob=1, prevent_folding=False)
    given.set_random_state(3)(image.as_tensor())
    np.testing.assert_allclose(given.control, pixels.control)


def test_control_spacing_counts_cells():
    deform = RandElasticDeformation(control_spacing=8, units="physical", spacing=(2, 0.5), prob=1)
    deform.randomize((33, 65), (2, 0.5))
    assert deform.control.shape == (2, 9, 5)


def test_meta_stays_and_input_is_not_modified():
    image = MetaTensor(torch.rand(1, 20, 20), affine=torch.eye(4) * 2, meta={"filename_or_obj": "x.tif"})
    before = image.clone()
    out = RandElasticDeformation(sigma=2, prob=1)(image)
    assert isinstance(out, MetaTensor)
    assert out.meta["filename_or_obj"] == "x.tif"
    assert torch.equal(out.affine, image.affine)
    assert torch.equal(image, before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_gpu_equals_cpu():
    image = torch.rand(1, 60, 70)
    for mode in ("bilinear", "bicubic", "nearest"):
        deform = RandElasticDeformation(sigma=3, prob=1, mode=mode).set_random_state(0)
        cpu, gpu = deform(image), deform(image.cuda(), randomize=False)
        assert gpu.is_cuda
        assert ((cpu - gpu.cpu()).abs() > 1e-3).float().mean() < 1e-3


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"sigma": -1}, "sigma=-1"),
        ({"sigma": float("nan")}, "sigma=nan"),
        ({"sigma": (1, float("inf"))}, r"sigma=\(1, inf\)"),
        ({"sigma": (1, 2, 3)}, "3 values, but the image has 2"),
        ({"control_points": 0}, "control_points=0"),
        ({"control_points": 2.5}, "control_points=2.5"),
        ({"control_spacing": 0}, "control_spacing=0"),
        ({"mode": "linear"}, "mode='linear'"),
        ({"units": "um"}, "units='um'"),
        ({"units": "physical", "spacing": (1, 2, 3)}, "spacing=.* has 3 values"),
        ({"units": "physical", "spacing": (1, -2)}, "spacing"),
        ({"units": "physical"}, "no affine"),
        ({"spacing": (1, 2)}, r"spacing=\(1, 2\); give units=.physical."),
    ],
)
def test_bad_arguments_are_named(kwargs, message):
    with pytest.raises(InputError, match=message):
        RandElasticDeformation(prob=1, **kwargs)(torch.rand(1, 10, 10))


def test_keys_of_different_shape_are_refused():
    data = {"image": torch.rand(1, 10, 10), "label": torch.rand(1, 9, 10)}
    with pytest.raises(InputError, match=r"'label' has spatial shape \(9, 10\), but 'image' has \(10, 10\)"):
        RandElasticDeformationd(["image", "label"], prob=1)(data)


def test_keys_agree_when_another_thread_draws_between_them(monkeypatch):
    image = torch.rand(1, 24, 24)
    deform = RandElasticDeformationd(["image", "label"], prob=1.0, mode="nearest").set_random_state(0)

    def interrupted(*args, plain=elastic._deform):
        out = plain(*args)
        deform.deform.control = None  # another thread leaves its image alone
        return out

    monkeypatch.setattr(elastic, "_deform", interrupted)
    item = deform({"image": image, "label": image})
    assert torch.equal(item["image"], item["label"])
    assert not torch.equal(item["image"], image)


@pytest.mark.parametrize("shape", [(20, 30), (1, 0, 30), (1, 2, 3, 4, 5)])
def test_a_missing_channel_axis_is_named(shape):
    with pytest.raises(InputError, match=r"RandElasticDeformation: the image has shape .* \(image\[None\]\)"):
        RandElasticDeformation(prob=1.0)(np.zeros(shape, np.float32))
    with pytest.raises(InputError, match="RandElasticDeformationd: 'image' has shape"):
        RandElasticDeformationd("image", prob=0.0)({"image": np.zeros(shape, np.float32)})
