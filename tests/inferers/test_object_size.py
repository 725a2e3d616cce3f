import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer
from scipy import ndimage
from torch import nn

from medseg.inferers import ObjectSizeInferer, OverlapTileInferer, RescaledInferer
from medseg.networks import UNet


def components(logits: torch.Tensor) -> np.ndarray:
    return ndimage.label(logits[0].numpy() > 0)[0]


def discs(shape, radius: float, step: int) -> torch.Tensor:
    """Logits of discs or balls on a lattice, 1 inside and -1 outside."""
    grid = np.stack(np.meshgrid(*(np.arange(n) % step - step // 2 for n in shape), indexing="ij"))
    return torch.from_numpy(np.where((grid**2).sum(0) <= radius**2, 1.0, -1.0))[None].float()


@pytest.mark.parametrize("shape", [(60, 80), (40, 40, 40)])
@pytest.mark.parametrize(("radius", "zoom"), [(3, 2.0), (6, 4 / 3), (8, 1.0)])
def test_zoom_is_what_makes_the_median_object_large_enough(shape, radius, zoom):
    inferer = ObjectSizeInferer(SimpleInferer(), components, 16, 2, spatial_dims=len(shape))
    assert inferer.zoom(discs(shape, radius, 20)) == pytest.approx(zoom, rel=0.06)


def test_zoom_goes_by_the_median_of_the_objects_that_are_there():
    """Objects of 4, 4 and 400 pixels, whose ids have gaps: a clump does not count for more than a cell."""
    labels = np.repeat([1, 3, 9, 0], [4, 4, 400, 100]).reshape(1, -1)
    zoom = ObjectSizeInferer(SimpleInferer(), lambda logits: labels, smallest=4).zoom(torch.zeros(1, *labels.shape))
    assert zoom == pytest.approx(4 / (2 * np.sqrt(4 / np.pi)))


def test_large_objects_and_empty_images_are_seen_once():
    for image in (discs((60, 60), 9, 20), -torch.ones(1, 60, 60)):
        seen = []
        inferer = ObjectSizeInferer(SimpleInferer(), components, 12)
        out = inferer(image[None], lambda x, seen=seen: seen.append(x.shape) or x)
        assert (len(seen), torch.equal(out[0], image)) == (1, True)


def test_small_objects_are_seen_again_enlarged_and_averaged():
    image, seen = discs((60, 80), 3, 20)[None], []
    inferer = ObjectSizeInferer(SimpleInferer(), components, 10.5)
    zoom = inferer.zoom(image[0])
    out = inferer(image, lambda x: seen.append(tuple(x.shape[2:])) or x)
    assert seen == [(60, 80), (int(60 * zoom), int(80 * zoom))]
    torch.testing.assert_close(out, (image + RescaledInferer(SimpleInferer(), zoom)(image, nn.Identity())) / 2)
    seen.clear()
    ObjectSizeInferer(SimpleInferer(), components, 10.5, max_zoom=1)(image, lambda x: seen.append(x.shape) or x)
    assert len(seen) == 1


def test_each_section_of_each_image_by_itself():
    small, large = discs((60, 80), 3, 20), discs((60, 80), 9, 20)
    image = MetaTensor(torch.stack([torch.stack([small, large], 1), torch.stack([large, small], 1)]), meta={"a": 1})
    inferer = ObjectSizeInferer(SimpleInferer(), components, 12)
    out = inferer(image, nn.Identity())
    assert (out.shape, out.meta["a"]) == (image.shape, 1)
    out = out.as_tensor()
    alone = inferer(small[None], nn.Identity())[0]
    assert not torch.equal(alone, small)
    for b, z in ((0, 0), (1, 1)):
        torch.testing.assert_close(out[b, :, z], alone)
    assert torch.equal(out[0, :, 1], large)


def test_progress_reaches_the_inferer_inside():
    told = []
    inferer = ObjectSizeInferer(OverlapTileInferer((30, 30)), components)
    inferer.progress = lambda done, count: told.append((done, count))
    with torch.inference_mode():
        inferer(torch.rand(1, 1, 40, 40), UNet(2, 1, 1, (2, 4)).eval())
    assert told[-1][0] == told[-1][1] > 0
    assert ObjectSizeInferer(SimpleInferer(), components).progress is None


@pytest.mark.parametrize("settings", [{"smallest": 0}, {"max_zoom": 0.5}, {"smallest": float("nan")}])
def test_refused(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ObjectSizeInferer(SimpleInferer(), components, **settings)
