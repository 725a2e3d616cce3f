import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import label as connected

from medseg.inferers.tiled_detection import TiledDetectionInferer, plan_tiles
from medseg.networks.mask_rcnn.paste import label_image

BINS = 24


def exact_detector(images):
    """Finds each connected bright object; brightness is the score, and one object is one label image value."""
    results = []
    for image in images:
        dims = image.dim() - 1
        components, n = connected(image[0].numpy() > 0)
        boxes, scores, masks = [], [], []
        for i in range(1, n + 1):
            where = np.argwhere(components == i)
            low, high = where.min(0), where.max(0) + 1
            window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            mask = torch.from_numpy(components[window] == i).float()[None, None]
            mode = "bilinear" if dims == 2 else "trilinear"
            masks.append(torch.nn.functional.interpolate(mask, [BINS] * dims, mode=mode)[0, 0])
            boxes.append(torch.from_numpy(np.concatenate([low, high])).float())
            scores.append(image[0][torch.from_numpy(components == i)].mean())
        order = torch.argsort(torch.tensor(scores), descending=True).tolist()
        results.append({
            "boxes": torch.stack([boxes[i] for i in order]) if n else torch.zeros(0, 2 * dims),
            "labels": torch.ones(n, dtype=torch.int64),
            "scores": torch.tensor([scores[i] for i in order]),
            "box_masks": torch.stack([masks[i] for i in order]) if n else torch.zeros(0, *[BINS] * dims),
        })  # fmt: skip
    return results


def cells(shape, count, radii, seed):
    """Balls that do not touch, each of its own brightness."""
    rng = np.random.default_rng(seed)
    image, taken = np.zeros(shape, np.float32), np.zeros(shape, bool)
    grid = np.indices(shape)
    for _ in range(count):
        centre = rng.uniform(0, shape).reshape((-1,) + (1,) * len(shape))
        radius = rng.uniform(*radii)
        distance = np.sqrt(((grid - centre) ** 2).sum(0))
        if (distance < radius).any() and not taken[distance < radius + 2].any():
            image[distance < radius] = rng.uniform(0.1, 1)
            taken |= distance < radius
    return torch.from_numpy(image)[None, None]


def as_set(found):
    return sorted(
        (*np.round(box, 3).tolist(), round(score, 4))
        for box, score in zip(found["boxes"].tolist(), found["scores"].tolist(), strict=True)
    )


@settings(max_examples=25)
@given(
    st.integers(0, 10**6), st.tuples(st.integers(20, 150), st.integers(20, 150)), st.sampled_from([(48, 24), (64, 32)])
)
def test_tiles_find_what_the_whole_image_shows(seed, shape, tiling):
    image = cells(shape, 60, (1, 8), seed)
    (whole,) = exact_detector(image)
    (tiled,) = TiledDetectionInferer((tiling[0],) * 2, tiling[1], batch_size=3, stride=8)(image, exact_detector)
    assert as_set(tiled) == as_set(whole)
    assert (tiled["scores"].diff() <= 0).all()
    assert torch.equal(label_image(tiled, shape) > 0, label_image(whole, shape) > 0)


def test_in_3d_and_for_each_image_of_a_batch():
    images = torch.cat([cells((20, 70, 40), 60, (1, 5), seed) for seed in (1, 2)])
    steps = []
    inferer = TiledDetectionInferer((20, 32, 32), (0, 16, 16), stride=8, progress=lambda *s: steps.append(s))
    found = inferer(images, exact_detector)
    for tiled, whole in zip(found, exact_detector(images), strict=True):
        assert as_set(tiled) == as_set(whole)
    assert steps[-1] == (16, 16)
    assert len(steps) == 16


def test_an_image_that_fits_is_the_detectors_own():
    image = cells((60, 60), 30, (2, 6), 3)
    (whole,) = exact_detector(image)
    (tiled,) = TiledDetectionInferer((64, 64), 32)(image, exact_detector)
    assert list(tiled.keys()) == list(whole)
    assert all(torch.equal(tiled[key], whole[key]) for key in whole)


def test_of_a_stack_each_section_is_an_image():
    stack = torch.stack([cells((90, 70), 20, (2, 6), seed) for seed in (1, 2, 3)], dim=2)
    inferer = TiledDetectionInferer((64, 64), 32, stride=8)
    (found,) = inferer(stack, exact_detector)
    for k in range(3):
        (alone,) = inferer(stack[:, :, k], exact_detector)
        mine = found["section"] == k
        assert all(torch.equal(found[key][mine], alone[key]) for key in alone.keys())  # noqa: SIM118
    assert len(found["section"]) == len(found["boxes"])


def test_touching_cells_on_a_seam_both_stay():
    """Boxes that overlap by 0.6, masks that do not: two thin diagonal cells."""
    y, x = np.indices((64, 160))
    image = np.zeros((64, 160), np.float32)
    for offset in (0, 5):
        line = np.abs((x - 60) - y - offset) < 2
        image[line & (y > 10) & (y < 40)] = 0.5 + offset / 20
    image = torch.from_numpy(image)[None, None]
    (whole,) = exact_detector(image)
    assert len(whole["boxes"]) == 2
    for stop in (96, 112, 128):
        (tiled,) = TiledDetectionInferer((64, stop), 48, stride=16)(image, exact_detector)
        assert as_set(tiled) == as_set(whole)


def test_boxes_alone_are_merged_by_their_boxes():
    image = cells((150, 150), 60, (2, 8), 5)

    def boxes_only(images):
        return [{k: v for k, v in found.items() if k != "box_masks"} for found in exact_detector(images)]

    (tiled,) = TiledDetectionInferer((64, 64), 32, stride=8)(image, boxes_only)
    assert as_set(tiled) == as_set(exact_detector(image)[0])
    assert "box_masks" not in tiled


@given(st.integers(1, 500), st.integers(9, 200), st.integers(0, 100), st.sampled_from([1, 8]))
def test_tiles_cover_and_overlap(length, tile, overlap, stride):
    overlap = min(overlap, tile - stride)
    tiles = plan_tiles(length, tile, overlap, stride)
    assert tiles[0][0] == 0
    assert tiles[-1][1] == length
    for (start, stop), (after, _) in itertools.pairwise(tiles):
        assert stop - start <= tile
        assert after % stride == 0
        assert after > start
        assert stop - after >= overlap


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((64, 64), 40), "does not advance by 32"),
        (((64, 64), (8, 8, 8)), "one overlap"),
        (((64, 64), -1), "overlap"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        TiledDetectionInferer(*arguments)


def test_refuses_lines_and_training():
    inferer = TiledDetectionInferer((64, 64), 16)
    with pytest.raises(ValueError, match="2 spatial axes"):
        inferer(torch.zeros(1, 1, 4), exact_detector)
    with pytest.raises(ValueError, match="eval"):
        inferer(torch.zeros(1, 1, 4, 4), lambda _: {"loss": 0})
