import pytest
import torch

from medseg.transforms import NeighbouringSlicesd
from medseg.transforms.neighbouring_slices import neighbouring_slices


def test_neighbours_as_channels_and_the_outermost_repeated():
    volume = torch.arange(5.0).expand(1, 2, 3, 5)
    slices = neighbouring_slices(volume, torch.tensor([0, 2, 4]), (-2, 0, 1))
    assert slices.shape == (3, 3, 2, 3)
    assert slices[:, :, 0, 0].tolist() == [[0, 0, 1], [0, 2, 3], [2, 4, 4]]


def test_middle_slice_of_a_slab():
    item = {"image": torch.arange(9.0).expand(1, 4, 4, 9), "label": torch.arange(9).expand(1, 4, 4, 9)}
    result = NeighbouringSlicesd("image", "label", offsets=(-4, 0, 4))(item)
    assert result["image"][:, 0, 0].tolist() == [0, 4, 8]
    assert (result["label"].shape, result["label"][0, 0, 0]) == ((1, 4, 4), 4)
    assert item["image"].shape == (1, 4, 4, 9)


def test_channels_are_refused():
    with pytest.raises(ValueError, match="a volume is"):
        neighbouring_slices(torch.zeros(2, 4, 4, 4), torch.tensor([0]), (0,))
