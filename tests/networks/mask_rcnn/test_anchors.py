import math
import zlib

import numpy as np
import torch

from medseg.networks.mask_rcnn.anchors import anchor_shapes, cell_anchors, grid_anchors

RATIOS = ((0.5, 1), (1, 1), (2, 1))


def test_torchvisions_anchors(parts, yx):
    facts = parts.meta["anchors"]
    shapes = anchor_shapes(facts["sizes"], RATIOS)
    for level, expected in zip(shapes, parts.arrays["cell_anchors"], strict=True):
        assert torch.equal(cell_anchors(level).float(), yx(expected))
    strides = (4, 8, 16, 32, 64)
    levels = [
        grid_anchors(s, [n // stride for n in facts["image"]], (stride, stride), torch.zeros(()))
        for s, stride in zip(shapes, strides, strict=True)
    ]
    assert [len(level) for level in levels] == facts["per_level"]
    anchors = yx(torch.cat(levels)).numpy()
    assert np.array_equal(anchors[:30], parts.arrays["anchors_first30"])
    assert np.array_equal(anchors[-30:], parts.arrays["anchors_last30"])
    assert zlib.crc32(np.ascontiguousarray(anchors).tobytes()) == facts["crc32"]


def test_in_3d_sides_have_the_ratio_and_the_volume():
    ((half, flat),) = anchor_shapes([20], ((1, 1, 1), (0.25, 1, 1)))
    assert half == (20, 20, 20)
    assert math.isclose(math.prod(flat), 8000)
    assert math.isclose(flat[1] / flat[0], 4)
    assert flat[1] == flat[2]
    boxes = grid_anchors([half, flat], (2, 1, 3), (4, 8, 2), torch.zeros((), dtype=torch.float64))
    assert boxes.shape == (12, 6)
    assert boxes[::2].view(2, 3, 6)[1, 2].tolist() == [-6, -10, -6, 14, 10, 14]


def test_several_sizes_per_level():
    assert [len(level) for level in anchor_shapes([[4, 6], 8], RATIOS)] == [6, 3]
