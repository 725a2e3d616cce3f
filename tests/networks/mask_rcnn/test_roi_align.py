import itertools
import json
import math
import sys

import numpy as np
import pytest
import torch
from fill_weights import unit_noise

from medseg.networks.mask_rcnn.roi_align import roi_align
from medseg.networks.mask_rcnn.roi_taps import chunks

CASES = ["sa0", "sa2", "sa4", "sa6", "sa8", "sa10", "sa12", "sa14"]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_torchvisions_values_and_gradients(arch_oracle, yx, name, kind):
    stored = np.load(arch_oracle / "ops_roi_align.npz")
    case = {c["name"]: c for c in json.loads(str(stored["meta"]))["cases"]}[name]
    features = torch.from_numpy(stored[f"{name}_features"]).to(kind).requires_grad_()
    rois = stored[f"{name}_rois"]
    output = roi_align(
        features,
        yx(rois[:, 1:]),
        torch.from_numpy(rois[:, 0].astype(int)),
        case["output_size"],
        case["spatial_scale"],
        case["sampling_ratio"],
        case["aligned"],
    )
    np.testing.assert_allclose(output.detach(), stored[f"{name}_out"], rtol=0, atol=1e-5)
    if case["cotangent"]:
        noise = unit_noise(case["cotangent"].split("'")[1], output.numel()).reshape(output.shape)
        output.backward(torch.from_numpy(noise).to(kind))
        np.testing.assert_allclose(features.grad, stored[f"{name}_grad_features"], rtol=0, atol=1e-5)


def slow_roi_align(features, box, size, scale, ratio, aligned, nearest):
    """One box of one image, each sampling point on its own."""
    dims = features.ndim - 1
    shift = 0.5 if aligned else 0.0
    low = [box[a] * scale[a] - shift for a in range(dims)]
    high = [box[dims + a] * scale[a] - shift for a in range(dims)]
    if not aligned:
        high = [max(h, lo + 1) for lo, h in zip(low, high, strict=True)]
    counts = [ratio or math.ceil((h - lo) / n) for lo, h, n in zip(low, high, size, strict=True)]
    result = np.zeros((len(features), *size))
    for place in itertools.product(*map(range, size)):
        points = itertools.product(
            *[
                [low[a] + (high[a] - low[a]) / size[a] * (place[a] + (s + 0.5) / counts[a]) for s in range(counts[a])]
                for a in range(dims)
            ]
        )
        values = [slow_sample(features, point, nearest) for point in points]
        if values:
            result[(slice(None), *place)] = np.mean(values, axis=0)
    return result


def slow_sample(features, point, nearest):
    shape = features.shape[1:]
    if any(p < -1 or p > n for p, n in zip(point, shape, strict=True)):
        return np.zeros(len(features))
    point = [min(max(p, 0), n - 1) for p, n in zip(point, shape, strict=True)]
    if nearest:
        return features[(slice(None), *[math.floor(p + 0.5) for p in point])]
    total = np.zeros(len(features))
    for corner in itertools.product((0, 1), repeat=len(shape)):
        cell = [min(math.floor(p) + c, n - 1) for p, c, n in zip(point, corner, shape, strict=True)]
        weight = np.prod([(p % 1) if c else 1 - p % 1 for p, c in zip(point, corner, strict=True)])
        total += weight * features[(slice(None), *cell)]
    return total


@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
@pytest.mark.parametrize(("aligned", "ratio"), [(True, 2), (True, 0), (False, 1), (False, 0)])
@pytest.mark.parametrize("dims", [2, 3])
def test_each_point_sampled_by_itself(dims, aligned, ratio, interpolation):
    rng = np.random.default_rng(dims)
    shape = (6, 9, 7)[:dims]
    features = rng.normal(size=(2, 3, *shape))
    low = rng.uniform(-4, 20, (8, dims))
    boxes = np.concatenate([low, low + rng.uniform(0, 25, (8, dims))], axis=1)
    boxes[0, dims:] = boxes[0, :dims]  # empty
    scale, size = (0.25, 0.5, 0.3)[:dims], (2, 3, 2)[:dims]
    image = rng.integers(0, 2, 8)
    ours = roi_align(
        torch.from_numpy(features),
        torch.from_numpy(boxes),
        torch.from_numpy(image),
        size,
        scale,
        ratio,
        aligned,
        interpolation,
    )
    for got, box, i in zip(ours, boxes, image, strict=True):
        expected = slow_roi_align(features[i], box, size, scale, ratio, aligned, interpolation == "nearest")
        np.testing.assert_allclose(got, expected, atol=1e-10)


def test_a_box_on_the_grid_reads_its_cells():
    features = torch.arange(48.0).view(1, 1, 6, 8)
    pooled = roi_align(features, torch.tensor([[1.0, 2, 4, 6]]), torch.zeros(1, dtype=torch.int64), (3, 4), 1.0, 1)
    assert torch.equal(pooled[0, 0], features[0, 0, 1:4, 2:6])


def test_parts_of_any_size_give_the_same(monkeypatch):
    features = torch.rand(1, 4, 20, 20)
    low = torch.rand(30, 2) * 10
    boxes, image = torch.cat([low, low + 8], 1), torch.zeros(30, dtype=torch.int64)
    whole = roi_align(features, boxes, image, (3, 3))
    module = sys.modules["medseg.networks.mask_rcnn.roi_align"]  # the package has the function by this name
    monkeypatch.setattr(module, "_MOST_TAPS", 9 * 16 * 7)
    torch.testing.assert_close(roi_align(features, boxes, image, (3, 3)), whole, rtol=0, atol=0)
    parts = chunks(torch.full((30, 2), 2), bins=9, most_taps=9 * 16 * 7)
    assert [len(part) for part, _ in parts] == [7, 7, 7, 7, 2]


def test_half_precision_and_no_boxes():
    features = torch.rand(1, 4, 8, 8, dtype=torch.bfloat16)
    none = roi_align(features, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), (3, 3))
    assert none.shape == (0, 4, 3, 3)
    one = roi_align(
        features, torch.tensor([[0.0, 0, 8, 8]]), torch.zeros(1, dtype=torch.int64), (8, 8), sampling_ratio=1
    )
    assert one.dtype == torch.bfloat16
    assert torch.equal(one, features)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"boxes": torch.zeros(2, 6)}, "boxes"),
        ({"image_index": torch.zeros(3, dtype=torch.int64)}, "image_index"),
        ({"interpolation": "cubic"}, "cubic"),
        ({"output_size": (2,)}, "output size"),
    ],
)
def test_refuses(change, message):
    given = {
        "features": torch.zeros(1, 1, 4, 4),
        "boxes": torch.zeros(2, 4),
        "image_index": torch.zeros(2, dtype=torch.int64),
        "output_size": (2, 2),
    }
    with pytest.raises(ValueError, match=message):
        roi_align(**given | change)
