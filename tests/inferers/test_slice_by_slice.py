import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from medseg.inferers import (
    AutocastInferer,
    RescaledInferer,
    SliceBySliceInferer,
    TestTimeAugmentationInferer,
)


def test_each_slice_is_seen_with_its_neighbours():
    volume = torch.rand(2, 1, 5, 6, 7, generator=torch.Generator().manual_seed(0))
    seen = []
    inferer = SliceBySliceInferer(offsets=(-1, 0, 1), batch_size=3, divisor=4)

    def network(slices):
        assert slices.shape[1:] == (3, 8, 8)
        assert not slices[..., 5:, :].any()
        seen.append(len(slices))
        return torch.stack([slices[:, 1], slices[:, 2] - slices[:, 0]], dim=1)

    done = []
    inferer.progress = lambda k, n: done.append((k, n))
    result = inferer(volume, network)
    assert result.shape == (2, 2, 5, 6, 7)
    torch.testing.assert_close(result[:, :1], volume)
    torch.testing.assert_close(result[:, 1, ..., 1:-1], (volume[..., 2:] - volume[..., :-2])[:, 0])
    torch.testing.assert_close(result[:, 1, ..., 0], (volume[..., 1] - volume[..., 0])[:, 0])
    assert seen == [3, 3, 1, 3, 3, 1]
    assert done[-1] == (14, 14)


def test_batches_of_slices_do_not_matter():
    torch.manual_seed(0)
    network = nn.Conv2d(2, 3, 3, padding=1)
    volume = torch.rand(1, 1, 32, 32, 5)
    one, four = (SliceBySliceInferer((0, 2), batch_size=n)(volume, network) for n in (1, 4))
    torch.testing.assert_close(one, four)


def test_images_of_monai_loaders():
    volume = MetaTensor(torch.rand(1, 1, 32, 32, 3), affine=torch.diag(torch.tensor([0.9, 0.9, 2.5, 1])))
    seen = []

    def network(slices):
        seen.append(type(slices))
        return slices.repeat(1, 2, 1, 1)[:, :3]

    result = SliceBySliceInferer((0, 1))(volume, network)
    assert result.shape == (1, 3, 32, 32, 3)
    assert seen == [torch.Tensor]  # a slice has no place in the volume's affine
    assert isinstance(result, MetaTensor)
    torch.testing.assert_close(result.affine, volume.affine)


def test_inside_autocast():
    network = nn.Conv2d(1, 1, 1)
    volume = torch.rand(1, 1, 32, 32, 2)
    whole = SliceBySliceInferer((0,))(volume, network)
    half = AutocastInferer(True, SliceBySliceInferer((0,)))(volume, network)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, whole, atol=0.02, rtol=0.02)
    assert not torch.equal(half, whole)


def test_refused():
    with pytest.raises(ValueError, match="at least 1"):
        SliceBySliceInferer(batch_size=0)


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 1, 8, 8, 0), (0, 1, 8, 8, 4)])
def test_what_is_no_volume_is_named(shape):
    with pytest.raises(ValueError, match=r"expected \(B, 1, X, Y, Z\)"):
        SliceBySliceInferer()(torch.zeros(shape), lambda x: x)


def test_inferers_around_it_keep_its_axes():
    slices = AutocastInferer(False, SliceBySliceInferer())
    for around in (
        lambda: TestTimeAugmentationInferer(slices),
        lambda: TestTimeAugmentationInferer(slices, spatial_dims=3, symmetries="dihedral"),
        lambda: RescaledInferer(slices, 0.5),
    ):
        with pytest.raises(ValueError, match=r"along Z: around it give spatial_dims=3"):
            around()
    TestTimeAugmentationInferer(RescaledInferer(slices, 0.5, spatial_dims=3), spatial_dims=3)
