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


@pytest.mark.parametrize("options", [{"core_threshold": 1.1}, {"cell_threshold": -0.1}])
def test_thresholds_out_of_range(options):
    with pytest.raises(ValueError, match="between 0 and 1"):
        InstancesFromCore(**options)


def test_other_channels_are_refused():
    with pytest.raises(ValueError, match="three channels"):
        InstancesFromCore()(torch.zeros(4, 5, 5))
