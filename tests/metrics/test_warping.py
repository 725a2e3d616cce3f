"""Topological warping error: reference values, stacks and volumes, thresholds, bad input."""

import doctest

import numpy as np
import pytest
import torch
from isbi2012_cases import each_case, load_case

import medseg.metrics.warping
from medseg.errors import InputError
from medseg.kernels.mismatches import CLASSES
from medseg.metrics.warping import CHALLENGE_THRESHOLDS, topological_warping_error


def nonzero(counts):
    return {name: getattr(counts, name) for name in CLASSES if getattr(counts, name)}


@each_case
def test_challenge_value(case_folder):
    case = load_case(case_folder)
    expected = case.expected["warping"]
    found = topological_warping_error(case.proposal, case.label, mask=case.mask, positions=True)
    smallest = min(score.classic_error for score in found.sweep)
    assert smallest == pytest.approx(expected["min_classic_error_0_0.9"], abs=1e-12)
    for score, reference in zip(found.sweep, expected["per_threshold"], strict=False):
        assert score.threshold == reference["threshold"]
        assert score.classic_error == pytest.approx(reference["classic_error"], abs=1e-12)
    assert (found.class_map > 0).sum() == found.pixels.total
    assert len(found.mismatches) == found.clusters.total
    if any(case.expected["label_slice_all_foreground"]):
        return  # the reference mislabels these
    assert found.value == pytest.approx(expected["min_splits_mergers_error_r20"], abs=1e-12)
    for score, reference in zip(found.sweep, expected["per_threshold"], strict=False):
        assert vars(score.pixels) == reference["pixels_by_type_r20"]
        assert vars(score.clusters) == reference["clusters_by_type_r20"]
    clustered = min(s.clusters.split + s.clusters.merge for s in found.sweep) / case.label.size
    assert clustered == pytest.approx(expected["min_splits_mergers_error_clustered_r20"], abs=1e-12)
    if expected["min_splits_mergers_error_full"] is not None:
        whole = topological_warping_error(case.proposal, case.label, mask=case.mask, radius=None)
        assert whole.value == pytest.approx(expected["min_splits_mergers_error_full"], abs=1e-12)


def test_a_stack_is_the_sum_of_its_sections():
    rng = np.random.default_rng(2)
    prediction, reference = rng.random((4, 30, 25), np.float32), rng.random((4, 30, 25)) > 0.4
    whole = topological_warping_error(prediction, reference, threshold=0.3, positions=True)
    parts = [topological_warping_error(p, r, threshold=0.3) for p, r in zip(prediction, reference, strict=True)]
    assert whole.pixels.merge == sum(p.pixels.merge for p in parts)
    assert whole.clusters.total == sum(p.clusters.total for p in parts)
    assert whole.value == pytest.approx(np.mean([p.value for p in parts]), abs=1e-15)
    assert {m.position[0] for m in whole.mismatches} == {0, 1, 2, 3}
    for mismatch in whole.mismatches:
        assert whole.class_map[mismatch.position] == CLASSES.index(mismatch.kind) + 1
        assert all(low <= p < high for p, (low, high) in zip(mismatch.position, mismatch.box, strict=True))
    assert [m.pixels for m in whole.mismatches] == sorted((m.pixels for m in whole.mismatches), reverse=True)


def test_a_place_is_the_pixel_in_the_middle_of_its_cluster():
    invented = np.zeros((8, 12), bool)
    invented[2:5, 3:8] = True
    (found,) = topological_warping_error(invented, np.zeros((8, 12), bool), positions=True).mismatches
    assert (found.kind, found.pixels) == ("object_addition", 15)
    assert (found.position, found.box) == ((3, 5), ((2, 5), (3, 8)))


def test_volume_differs_from_its_sections():
    # Two rods side by side, joined by one voxel: a merge in its section and in the volume. A rod that is
    # missing in one section is an object lost there, but a split of the volume.
    rods = np.zeros((5, 5, 9), bool)
    rods[:, 1:4, 1:4] = rods[:, 1:4, 5:8] = True
    joined, cut = rods.copy(), rods.copy()
    joined[2, 2, 4] = True
    cut[2, 1:4, 1:4] = False
    for volumetric in (False, True):
        found = topological_warping_error(joined, rods, volumetric=volumetric, positions=True)
        assert nonzero(found.pixels) == {"merge": 1}
        assert found.mismatches[0].position == (2, 2, 4)
    assert nonzero(topological_warping_error(cut, rods).pixels) == {"object_deletion": 1}
    assert nonzero(topological_warping_error(cut, rods, volumetric=True).pixels) == {"split": 1}


def test_volume_knows_cavities_and_tunnels():
    block = np.zeros((7, 7, 7), bool)
    block[1:6, 1:6, 1:6] = True
    cavity, tunnel = block.copy(), block.copy()
    cavity[3, 3, 3] = False
    tunnel[1:6, 3, 3] = False
    for changed in (cavity, tunnel):
        found = topological_warping_error(changed, block, volumetric=True)
        assert found.clusters.total == 1
        assert found.value == 0
        assert found.pixels.hole_addition > 0


def test_labels_with_touching_objects_are_parted():
    reference = np.zeros((9, 12), np.int64)
    reference[1:8, 1:6] = 7
    reference[1:8, 6:11] = 2**40
    assert topological_warping_error(reference, reference).classic_error == 0
    together = topological_warping_error((reference > 0), reference)
    assert nonzero(together.clusters) == {"merge": 1}
    apart = topological_warping_error(reference, (reference > 0))
    assert nonzero(apart.clusters) == {"split": 1}
    relabelled = np.where(reference == 7, 3, reference // 2**39)
    assert topological_warping_error(reference > 0, relabelled).sweep == together.sweep


def test_objects_too_thin_to_be_parted_are_named():
    stripes = np.arange(1, 7).repeat(3).reshape(6, 3)
    with pytest.warns(UserWarning, match=r"5 objects \(first id: 1\) vanished"):
        topological_warping_error(stripes, stripes)


def test_binary_predictions_use_threshold_zero_only():
    reference = np.random.default_rng(1).random((20, 20)) > 0.5
    prediction = np.roll(reference, 1)
    for binary in (prediction, prediction.astype(np.uint8) * 255, prediction * np.int16(3)):
        found = topological_warping_error(binary, reference)
        assert [s.threshold for s in found.sweep] == [0.0]
        assert topological_warping_error(binary, reference, threshold=(0.5, 1.0)).sweep == found.sweep
    probability = topological_warping_error(prediction.astype(float), reference)
    assert [s.threshold for s in probability.sweep] == list(CHALLENGE_THRESHOLDS)
    assert probability.sweep[0].pixels == found.pixels


def test_thresholds():
    rng = np.random.default_rng(8)
    prediction, reference = rng.random((16, 16)), rng.random((16, 16)) > 0.5
    half = topological_warping_error(prediction, reference, threshold=0.5)
    with pytest.warns(UserWarning, match=r"threshold \[1.02, -0.1\] is outside 0..1.01 and means 0.5"):
        strange = topological_warping_error(prediction, reference, threshold=(1.02, -0.1, 1.01))
    assert [s.threshold for s in strange.sweep] == [0.5, 0.5, 1.01]
    assert strange.sweep[0] == half.sweep[0]
    assert topological_warping_error(prediction, reference, threshold=np.float64(0.5)).sweep == half.sweep
    for nothing in ((), float("nan")):
        with pytest.raises(InputError, match="holds no level or NaN"):
            topological_warping_error(prediction, reference, threshold=nothing)


def test_radius_beyond_the_smallest_side_is_the_whole_image():
    ring = np.zeros((30, 7), bool)
    ring[1:29, 1:6] = True
    ring[2:28, 2:5] = False
    cut = ring.copy()
    cut[3, 1] = False
    for radius, name in ((7, "split"), (8, "hole_deletion"), (0, "hole_deletion"), (-1, "hole_deletion")):
        assert nonzero(topological_warping_error(cut, ring, radius=radius).pixels) == {name: 1}


def test_torch_and_memory_mapped_arrays(tmp_path):
    rng = np.random.default_rng(9)
    prediction, reference = rng.random((2, 24, 31), np.float32), rng.random((2, 24, 31)) > 0.5
    expected = topological_warping_error(prediction, reference).sweep
    tensor = torch.tensor(prediction, requires_grad=True)
    assert topological_warping_error(tensor, torch.tensor(reference)).sweep == expected
    np.save(tmp_path / "prediction.npy", prediction)
    mapped = np.load(tmp_path / "prediction.npy", mmap_mode="r")
    frozen = np.asfortranarray(reference)
    frozen.setflags(write=False)
    assert topological_warping_error(mapped, frozen).sweep == expected
    half = torch.tensor(prediction).bfloat16()
    assert topological_warping_error(half, reference).sweep == topological_warping_error(half.float(), reference).sweep


@pytest.mark.parametrize("reference", [np.zeros((8, 8), int), np.ones((8, 8), int), np.ones((1, 1), int)])
def test_defined_without_objects_and_without_background(reference):
    for prediction in (np.zeros(reference.shape), np.ones(reference.shape), np.full(reference.shape, 0.5)):
        found = topological_warping_error(prediction, reference, positions=True)
        assert np.isfinite(found.value)
    nothing = topological_warping_error(np.zeros((8, 8), bool), np.pad(np.ones((4, 4), bool), 2))
    assert nonzero(nothing.pixels) == {"object_deletion": 1}
    invented = topological_warping_error(np.pad(np.ones((4, 4), bool), 2), np.zeros((8, 8), bool))
    assert nonzero(invented.clusters) == {"object_addition": 1}
    lost = topological_warping_error(np.zeros((1, 1)), np.ones((1, 1), bool))
    assert nonzero(lost.sweep[0].pixels) == {"object_deletion": 1}


def test_more_than_65535_objects():
    dots = np.zeros((600, 600), bool)
    dots[::2, ::2] = True
    labels = np.zeros(dots.shape, np.int32)
    labels[dots] = np.arange(1, dots.sum() + 1)
    found = topological_warping_error(np.zeros(dots.shape, bool), labels)
    assert nonzero(found.clusters) == {"object_deletion": 90_000}


FLOAT, LABEL = np.full((6, 7), 0.5), np.ones((6, 7), int)


@pytest.mark.parametrize(
    ("prediction", "reference", "options", "message"),
    [
        (FLOAT[:5], LABEL, {}, r"prediction has the shape \(5, 7\), its reference \(6, 7\)"),
        (FLOAT[0], LABEL[0], {}, r"have 1 axes; expected \(Y, X\), or \(Z, Y, X\)"),
        (FLOAT[None, None], LABEL[None, None], {}, "have 4 axes"),
        (FLOAT, LABEL, {"volumetric": True}, r"expected \(Z, Y, X\) for a volume"),
        (FLOAT * np.nan, LABEL, {}, "42 pixels are NaN"),
        (FLOAT * 3, LABEL, {}, "values from 1.5 to 1.5, but a probability is 0 to 1"),
        (FLOAT - 1, LABEL, {}, "values from -0.5 to -0.5"),
        (FLOAT * np.inf, LABEL, {}, "values from inf to inf"),
        (LABEL - 2, LABEL, {}, "prediction: smallest value -1"),
        (FLOAT, LABEL - 3, {}, "reference: smallest value -2; 0 is background"),
        (FLOAT, LABEL * 0.25, {}, "42 pixels are not whole numbers"),
        (FLOAT, LABEL * np.nan, {}, "42 pixels are not whole numbers"),
        (FLOAT, LABEL * np.inf, {}, "42 pixels are not whole numbers"),
        (FLOAT[:0], LABEL[:0], {}, r"no pixels, its shape is \(0, 7\)"),
        (FLOAT * 1j, LABEL, {}, "prediction: dtype complex128"),
        (np.float32(0.5), LABEL, {}, "prediction: a single number is not an image"),
        (np.ma.array(FLOAT, mask=LABEL == 1), LABEL, {}, "prediction: 42 pixels are masked"),
        (FLOAT, LABEL.astype(str), {}, "reference: dtype <U21"),
        (FLOAT, LABEL, {"mask": LABEL[1:]}, r"mask has shape \(5, 7\), expected \(6, 7\)"),
        (FLOAT, LABEL, {"mask": LABEL * np.nan}, "mask: 42 pixels are NaN"),
    ],
)
def test_refuses(prediction, reference, options, message):
    with pytest.raises(InputError, match=message):
        topological_warping_error(prediction, reference, **options)


def test_rounding_above_one_is_one():
    assert topological_warping_error(np.full((3, 3), 1 + 1e-12), np.ones((3, 3))).value == 0


def test_example_in_the_docstring():
    assert doctest.testmod(medseg.metrics.warping).failed == 0


def test_an_object_that_vanishes_among_large_ids_is_named():
    labels = np.zeros((5, 6), np.uint64)
    labels[1:4, :2] = 2**60 + 1
    labels[1:4, 3:5] = 2**60
    labels[1:4, 2] = 2**60 + 2  # one pixel wide beside the third: nothing of it is left
    with pytest.warns(UserWarning, match=f"1 objects .first id: {2**60 + 2}.*vanished"):
        topological_warping_error(labels, labels)


def test_no_pool_of_numba_is_started(monkeypatch):
    def refuse():
        raise AssertionError("numba's pool outlives a fork, as of a data loader's workers")

    monkeypatch.setattr("numba.np.ufunc.parallel._launch_threads", refuse)
    topological_warping_error(np.ones((3, 3)), np.ones((3, 3)), positions=True)
