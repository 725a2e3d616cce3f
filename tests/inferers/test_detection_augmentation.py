import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import find_objects, label

from medseg.inferers import ImageDetections, TestTimeAugmentationDetectionInferer, TiledDetectionInferer
from medseg.inferers.detection_augmentation import mean_detections
from medseg.networks.mask_rcnn.box_iou import box_iou


def blobs(images, shift=0.0, sees=lambda box, shape: True) -> list[dict[str, torch.Tensor]]:
    """A detector that turns with the image: bright pieces, with the means of their quarters (octants) as masks."""
    results = []
    for image in images:
        dims = image.dim() - 1
        windows = find_objects(label(image[0].numpy() > 0)[0])
        boxes = [[w.start for w in window] + [w.stop for w in window] for window in windows]
        seen = [k for k, box in enumerate(boxes) if sees(box, image.shape[1:])]
        masks = [torch.nn.functional.interpolate(image[None, :1][(..., *windows[k])], (2,) * dims)[0, 0] for k in seen]
        found = torch.tensor([boxes[k] for k in seen], dtype=torch.float32).reshape(-1, 2 * dims)
        found[:, [dims - 1, -1]] += shift
        masks = torch.stack(masks) if masks else torch.zeros((0, *(2,) * dims))
        scores = masks.flatten(1).mean(dim=1)
        results.append({"boxes": found, "labels": torch.ones(len(seen)).long(), "scores": scores, "box_masks": masks})
    return results


def scene(*shape: int, seed: int = 0) -> torch.Tensor:
    """Boxes of pixels of random brightness, apart from each other, in ``(1, 1, *shape)``."""
    generator = np.random.default_rng(seed)
    image = np.zeros(shape, np.float32)
    for _ in range(12):
        size = [2 * int(generator.integers(1, 4)) for _ in shape]
        start = [int(generator.integers(0, n - s + 1)) for n, s in zip(shape, size, strict=True)]
        around = tuple(slice(max(a - 1, 0), a + s + 1) for a, s in zip(start, size, strict=True))
        if not image[around].any():
            corners = generator.uniform(0.2, 1, (2,) * len(shape)).astype(np.float32)
            block = corners
            for axis, s in enumerate(size):
                block = block.repeat(s // 2, axis=axis)
            image[tuple(slice(a, a + s) for a, s in zip(start, size, strict=True))] = block
    return torch.from_numpy(image)[None, None]


@pytest.mark.parametrize(
    ("shape", "tile", "symmetries"),
    [((40, 28), (64, 64), None), ((12, 20, 16), (64, 64, 64), None), ((12, 20, 16), (64, 64, 64), "dihedral")],
)
def test_a_detector_that_turns_with_the_image_gains_nothing(shape, tile, symmetries):
    image, inner = scene(*shape), TiledDetectionInferer(tile, 16)
    (plain,) = inner(image, blobs)
    augmented = TestTimeAugmentationDetectionInferer(inner, len(shape), min_score=0, symmetries=symmetries)
    (found,) = augmented(image, blobs)
    order = torch.argsort(plain["scores"], descending=True)
    assert len(order) > 4
    for key in ("boxes", "labels", "scores", "box_masks"):
        torch.testing.assert_close(found[key], plain[key][order])


def test_sections_of_a_stack_stay_apart():
    stack = torch.stack([scene(30, 24)[0, 0], scene(30, 24)[0, 0]])[None, None]  # the same objects in both
    inner = TiledDetectionInferer((64, 64), 16)
    (plain,), (found,) = inner(stack, blobs), TestTimeAugmentationDetectionInferer(inner, min_score=0)(stack, blobs)
    assert found["section"].tolist() == sorted(plain["section"].tolist())
    torch.testing.assert_close(found["boxes"][found["section"] == 0], found["boxes"][found["section"] == 1])


def test_errors_that_do_not_turn_with_the_image_cancel_out():
    image, inner = scene(40, 28), TiledDetectionInferer((64, 64), 16)
    (shifted,) = TestTimeAugmentationDetectionInferer(inner, min_score=0)(image, lambda x: blobs(x, shift=0.25))
    (exact,) = TestTimeAugmentationDetectionInferer(inner, min_score=0)(image, blobs)
    torch.testing.assert_close(shifted["boxes"], exact["boxes"], atol=1e-4, rtol=0)


def test_views_that_miss_an_object_count_as_zero():
    image = torch.zeros(1, 1, 20, 20)
    image[..., 2:8, 2:8] = 0.8

    def upper_half(images):
        return blobs(images, sees=lambda box, shape: box[0] < shape[0] / 2)

    inner = TiledDetectionInferer((64, 64), 16)
    (found,) = TestTimeAugmentationDetectionInferer(inner, min_score=0.39)(image, upper_half)
    assert found["scores"].tolist() == pytest.approx([0.4])  # four of the eight views
    assert found["boxes"].tolist() == [[2, 2, 8, 8]]
    (none,) = TestTimeAugmentationDetectionInferer(inner, min_score=0.41)(image, upper_half)
    assert none["boxes"].shape == (0, 4)


def test_neighbours_and_other_classes_stay_apart():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 6, 10, 16], [0, 6, 10, 16]])
    found = {"boxes": boxes, "labels": torch.tensor([1, 1, 2]), "scores": torch.tensor([0.9, 0.8, 0.7])}
    augmented = TestTimeAugmentationDetectionInferer(TiledDetectionInferer((64, 64), 16), symmetries="sides")
    (result,) = augmented(torch.zeros(1, 1, 10, 16), lambda images: [dict(found) for _ in images])
    for key, value in found.items():
        torch.testing.assert_close(result[key], value)
    assert "box_masks" not in result


@pytest.mark.parametrize("key", ["labels", "section"])
def test_views_that_call_it_differently_do_not_see_one_object(key):
    views = [{"boxes": torch.tensor([[0.0, 0, 9, 9]]), "labels": torch.ones(1).long(), "scores": torch.ones(1)}] * 2
    views = [view | {key: torch.tensor([k])} for k, view in enumerate(views)]
    found = mean_detections(views, min_score=0, threshold=0.5)
    assert (found[key].tolist(), found["scores"].tolist()) == ([0, 1], [0.5, 0.5])


def scores_by_definition(views, threshold):
    """Each detection, best first, with that of every other view which overlaps it most: compared with all."""
    view = [k for k, v in enumerate(views) for _ in v["scores"]]
    found = {key: torch.cat([v[key] for v in views]) for key in views[0]}
    iou, free, scores = box_iou(found["boxes"], found["boxes"]), set(range(len(view))), []
    for row in torch.argsort(found["scores"], descending=True, stable=True).tolist():
        if row not in free:
            continue
        alike = [o for o in free if iou[row, o] > threshold and found["labels"][o] == found["labels"][row]]
        group = {view[row]: row}
        for other in sorted(alike, key=lambda o: (-iou[row, o], -found["scores"][o], o)):
            group.setdefault(view[other], other)
        free -= set(group.values())
        scores.append(float(found["scores"][list(group.values())].sum()) / len(views))
    return sorted(scores, reverse=True)


@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.sampled_from([0, 0.02, 0.2, 0.5, 0.9, 1]))
def test_only_near_boxes_are_compared_and_the_objects_are_those_of_the_definition(seed, dims, threshold):
    generator = np.random.default_rng(seed)
    views = []
    for _ in range(3):
        low = generator.integers(0, 12, (12, dims))
        size = generator.choice([0, 1, 2, 3, 5, 40], (12, dims))
        views.append(
            {
                "boxes": torch.from_numpy(np.hstack([low, low + size])).float(),
                "labels": torch.from_numpy(generator.integers(1, 3, 12)),
                "scores": torch.from_numpy(generator.random(12)).float(),
            }
        )
    found = mean_detections(views, min_score=0, threshold=threshold)
    assert found["scores"].tolist() == pytest.approx(scores_by_definition(views, threshold))


def test_places_are_exact_under_autocast():
    views = [
        {
            "boxes": torch.tensor([[1001.0, low, 1031.0, 1029.0]]),
            "labels": torch.tensor([1]),
            "scores": torch.tensor([0.5]),
        }
        for low in (1001.0, 1005.0)
    ]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (box,) = mean_detections(views, 0.1, 0.5)["boxes"].tolist()
    assert box == [1001, 1003, 1031, 1029]


def test_scores_of_half_precision_weigh_boxes_in_single():
    views = [
        {
            "boxes": torch.tensor([[900.0, 900, 960, high]]),
            "labels": torch.tensor([1]),
            "scores": torch.tensor([score]).bfloat16(),
        }
        for high, score in ((960.0, 0.5), (963.0, 0.25))
    ]
    found = mean_detections(views, 0.1, 0.5)
    assert found["boxes"].tolist() == [pytest.approx([900, 900, 960, 961])]
    assert found["scores"].tolist() == [0.375]


def test_nothing_found_disabled_and_progress():
    image, inner = scene(20, 20), TiledDetectionInferer((64, 64), 16)
    (none,) = TestTimeAugmentationDetectionInferer(inner)(torch.zeros_like(image), blobs)
    assert none["boxes"].shape == (0, 4)
    (plain,) = inner(image, blobs)
    (same,) = TestTimeAugmentationDetectionInferer(inner, min_score=1, enabled=False)(image, blobs)
    assert isinstance(same, ImageDetections)
    assert torch.equal(same["scores"], plain["scores"])
    steps = []
    augmented = TestTimeAugmentationDetectionInferer(inner)
    augmented.progress = lambda done, tiles: steps.append((done, tiles))
    augmented(image, blobs)
    assert steps == [(k, 8) for k in range(1, 9)]


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="spatial_dims is 2 or 3"):
        TestTimeAugmentationDetectionInferer(TiledDetectionInferer((64, 64), 16), spatial_dims=1)
    with pytest.raises(ValueError, match="symmetries 'all'"):
        TestTimeAugmentationDetectionInferer(TiledDetectionInferer((64, 64), 16), symmetries="all")
