import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from medseg.metrics import average_precision
from medseg.transforms import InstancesFromCore, InstancesFromCored, core_classes


def two_touching_cells() -> np.ndarray:
    labels = np.zeros((30, 40), np.uint8)
    labels[5:25, 3:20], labels[5:25, 20:37] = 1, 2
    return labels


def probabilities(classes: np.ndarray, sure: float = 0.9) -> torch.Tensor:
    """``(3, *spatial)`` of a network that is this sure of the classes."""
    is_class = np.arange(3).reshape(3, *[1] * classes.ndim) == classes
    return torch.from_numpy(np.where(is_class, sure, (1 - sure) / 2).astype(np.float32))


def test_touching_cells_come_apart():
    truth = two_touching_cells()
    classes = core_classes(truth, depth=3)
    classes[classes == 0] = np.where(truth > 0, 1, 0)[classes == 0]  # no ridge: rims touch
    cells = InstancesFromCore()(probabilities(classes))
    assert cells.dtype == torch.int32
    assert cells.shape == (1, 30, 40)
    assert average_precision(cells[0].numpy(), truth, iou_thresholds=(0.9,)).value == 1


def test_cells_meet_in_the_valley_between_them():
    """Though the valley lies beside one of the cores: the flood does not run through it and up the other side."""
    cell, core = [[1.0, 0.6, 0.8, 0.9, 1.0]], [[1.0, 0, 0, 0, 1.0]]
    assert InstancesFromCore()(torch.tensor([cell, core])).tolist() == [[[1, 1, 2, 2, 2]]]


def test_a_cell_without_core_is_a_cell():
    classes = core_classes(two_touching_cells(), depth=3)
    classes[classes == 2] = 1
    classes[:, 30:] = 0
    cells = InstancesFromCore()(probabilities(classes))
    assert cells.max() == 2


def test_small_cores_make_no_cell_and_small_cells_go():
    classes = np.zeros((20, 40), np.uint8)
    classes[2:18, 2:30] = 1
    classes[5:15, 5:12] = classes[5:7, 20:22] = 2
    classes[5:7, 34:36] = 1
    maps = probabilities(classes)
    assert InstancesFromCore()(maps).max() == 3
    assert InstancesFromCore(min_core=5)(maps).max() == 2
    cells = InstancesFromCore(min_core=5, min_size=5)(maps)
    assert cells.max() == 1
    assert torch.equal(cells[0] > 0, torch.from_numpy(classes > 0) & (torch.arange(40) < 32))


def test_what_is_larger_than_a_cell_goes():
    maps = probabilities(core_classes(two_touching_cells(), depth=3))
    cells = InstancesFromCore()(maps)
    sizes = np.bincount(cells.numpy().ravel())[1:]
    maps[:, :, 30:] = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    assert InstancesFromCore(max_size=int(sizes.max()))(maps).max() == 2
    kept = InstancesFromCore(max_size=int(sizes.max()) - 50)(maps)
    assert kept.max() == 1
    assert kept[0, 15, 25] == 1


def test_thresholds():
    classes = core_classes(two_touching_cells(), depth=3)
    maps = probabilities(classes, sure=0.6)
    assert InstancesFromCore(core_threshold=0.5)(maps).max() == 2
    assert InstancesFromCore(cell_threshold=0.85)(maps).max() == 0


def test_cells_that_meet_in_a_corner_are_two_with_and_without_a_core():
    corner = torch.eye(2)
    assert InstancesFromCore()(torch.stack([corner, 0 * corner])).max() == 2
    assert InstancesFromCore()(torch.stack([torch.ones(2, 2), corner])).max() == 2


def test_thresholds_are_exceeded_and_sizes_reached():
    """One cell of six pixels with a core of two at each end."""
    maps = torch.tensor([[[0.75] * 6], [[0.5, 0.5, 0, 0, 0.5, 0.5]]])
    assert InstancesFromCore(0.25)(maps).max() == 2
    assert InstancesFromCore(0.5)(maps).max() == 1
    assert InstancesFromCore(0.25, cell_threshold=0.75)(maps).max() == 0
    assert InstancesFromCore(0.25, min_core=2, min_size=3, max_size=3)(maps).max() == 2


def test_ids_run_on_through_a_stack():
    one = probabilities(core_classes(two_touching_cells(), depth=3))
    empty = probabilities(np.zeros((30, 40), np.uint8))
    stack = InstancesFromCore()(torch.stack([one, empty, one], dim=1))
    assert stack.shape == (1, 3, 30, 40)
    assert [sorted(s.unique().tolist()) for s in stack[0]] == [[0, 1, 2], [0], [0, 3, 4]]


def test_dictionary_form_keeps_meta():
    maps = MetaTensor(probabilities(two_touching_cells()), meta={"filename_or_obj": "a.tif"})
    result = InstancesFromCored("pred", 0.5, 0.5)({"pred": maps})["pred"]
    assert result.meta["filename_or_obj"] == "a.tif"
    assert result.max() == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"core_threshold": 1.1}, "core_threshold is between 0 and 1, not 1.1"),
        ({"cell_threshold": -0.1}, "cell_threshold is between 0 and 1, not -0.1"),
        ({"min_confidence": -0.1}, "min_confidence is between 0 and 1, not -0.1"),
        ({"neck": 1.0}, "neck is from 0 to below 1, not 1.0"),
    ],
)
def test_settings_out_of_range(options, told):
    with pytest.raises(ValueError, match=told):
        InstancesFromCore(**options)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="three channels"):
        InstancesFromCore()(torch.zeros(4, 5, 5))


def test_a_core_with_a_neck_is_two_cells():
    """Two blobs whose cores run together, in one cell."""
    cell = torch.zeros(16, 28)
    cell[2:14, 2:26] = 1
    core = torch.zeros(16, 28)
    core[4:12, 4:12] = core[4:12, 16:24] = core[7:9, 12:16] = 1
    maps = torch.stack([cell, core])
    assert InstancesFromCore()(maps).max() == 1
    parted = InstancesFromCore(neck=0.5)(maps)
    assert parted.max() == 2
    assert torch.equal(parted[0] > 0, cell > 0)
    assert parted[0, 8, 4] != parted[0, 8, 23]
    assert InstancesFromCore(neck=0.2)(maps).max() == 1


def test_unlikely_cells_are_none():
    """Cells of mean probabilities 0.8, 0.6 and 0.9: the median is 0.8."""
    cell = torch.tensor([[0.9, 0.7, 0.0, 0.6, 0.6, 0.0, 0.9]])
    maps = torch.stack([cell, 0 * cell])
    assert InstancesFromCore(min_confidence=0.8)(maps).tolist() == [[[1, 1, 0, 0, 0, 0, 2]]]
    assert InstancesFromCore(min_confidence=0.7)(maps).max() == 3
    assert InstancesFromCore(min_confidence=1.0)(maps).max() == 2
    three = torch.stack([1 - cell, cell / 2, cell / 2])
    assert InstancesFromCore(min_confidence=0.8)(three).max() == 2


def test_confidence_is_relative_so_that_something_stays():
    faint = torch.tensor([[0.55, 0.0, 0.6]])
    assert InstancesFromCore(min_confidence=0.9)(torch.stack([faint, 0 * faint])).max() == 2
    assert InstancesFromCore(min_confidence=0.9)(torch.zeros(2, 3, 3)).max() == 0
