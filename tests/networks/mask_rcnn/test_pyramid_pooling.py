import numpy as np
import torch
from fill_weights import synth_image

from medseg.networks.mask_rcnn.pyramid_pooling import PyramidPooling, pyramid_level
from medseg.networks.mask_rcnn.roi_align import roi_align


def test_torchvisions_levels(parts):
    boxes = torch.from_numpy(parts.arrays["level_boxes"])
    assert pyramid_level(boxes, (4, 8, 16, 32)).tolist() == parts.arrays["level"].tolist()


def test_torchvisions_pooling(parts, yx):
    features = [torch.from_numpy(synth_image(f"ms/{i}", (3, 64 >> i, 64 >> i)))[None] for i in range(4)]
    pooling = PyramidPooling(2, 7, aligned=False)
    boxes = yx(parts.arrays["ms_boxes"])
    pooled = pooling([torch.cat([f, -f]) for f in features], [boxes[:5], boxes])
    np.testing.assert_allclose(pooled[:5], parts.arrays["ms_out"][:5], atol=1e-5)
    np.testing.assert_allclose(pooled[5:], -parts.arrays["ms_out"], atol=1e-5)


def test_levels_in_3d_and_of_nothing():
    boxes = torch.tensor([[0.0, 0, 0, 16, 16, 16], [0, 0, 0, 32, 32, 32], [3, 3, 3, 3, 3, 3], [0, 0, 0, 900, 900, 900]])
    assert pyramid_level(boxes, (4, 8), canonical_size=64).tolist() == [0, 1, 0, 1]
    assert PyramidPooling(3, 2)([torch.zeros(1, 5, 8, 8, 8)] * 4, [torch.zeros(0, 6)]).shape == (0, 5, 2, 2, 2)


def test_a_cube_of_the_canonical_size_does_not_fall_a_level():
    for side in range(1, 200):
        box = torch.tensor([[0.0, 0, 0, side, side, side]], dtype=torch.float64)
        assert pyramid_level(box, (4, 8, 16), side).item() == 2


def test_options_reach_the_pooling():
    features = [torch.rand(1, 2, 16, 16), torch.rand(1, 2, 8, 8)]
    options = {"sampling_ratio": 1, "aligned": False, "interpolation": "nearest"}
    pooled = PyramidPooling(2, 3, (4, 8), canonical_size=32.0, **options)(features, [torch.tensor([[3.0, 5, 20, 22]])])
    of_second_level = torch.tensor([[3.0, 5, 20, 22]]), torch.tensor([0]), (3, 3), 1 / 8
    assert torch.equal(pooled, roi_align(features[1], *of_second_level, **options))
