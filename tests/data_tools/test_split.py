"""The split keeps together what belongs together, balances strata, and follows its seed."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from data_tools.layout import Dataset, Description, Entry
from data_tools.pixels import Pixels, write_pixels
from data_tools.split import _choose, _units, split_dataset, split_sections
from data_tools.synth.em import em_sections
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("set")
    for number in range(12):
        sample = em_sections((64, 64), number)
        write_image(root / f"images/{number}.tif", sample.image)
        write_labels(root / f"labels/{number}.tif", sample.labels)
    return Dataset(root, Description(), tuple(entry(n) for n in range(12)))


def entry(number, **more):
    return Entry(f"images/{number}.tif", f"labels/{number}.tif", **more)


def with_entries(dataset, entries):
    return Dataset(dataset.root, dataset.description, tuple(entries))


def test_fraction_and_seed(dataset):
    first = split_dataset(dataset, fraction=0.25, seed=3).dataset
    assert len(first.validation) == 3
    assert sorted(first.training + first.validation, key=str) == sorted(dataset.training, key=str)
    assert split_dataset(dataset, fraction=0.25, seed=3).dataset == first
    assert any(split_dataset(dataset, fraction=0.25, seed=s).dataset != first for s in range(4, 8))


def test_near_duplicates_stay_together(dataset, tmp_path):
    for number in range(6):
        sample = em_sections((64, 64), number % 3)
        changed = np.clip(sample.image * 0.8 + (20 if number > 2 else 0), 0, 255).astype(np.uint8)
        write_image(tmp_path / f"images/{number}.tif", changed)
        write_labels(tmp_path / f"labels/{number}.tif", sample.labels)
    twins = Dataset(tmp_path, Description(), tuple(entry(n) for n in range(6)))
    for seed in range(6):
        result = split_dataset(twins, fraction=0.4, seed=seed)
        sides = [e in result.dataset.validation for e in twins.training]
        assert sides[:3] == sides[3:]
        assert any(sides)
        assert [d[:2] for d in result.duplicates] == [(f"images/{n}.tif", f"images/{n + 3}.tif") for n in range(3)]


@settings(max_examples=50)
@given(
    groups=st.lists(st.sampled_from(["", "a", "b", "c", "d"]), min_size=2, max_size=30),
    strata=st.lists(st.sampled_from(["x", "y"]), min_size=30, max_size=30),
    fraction=st.floats(0.05, 0.95),
    seed=st.integers(0, 1000),
)
def test_groups_never_straddle(groups, strata, fraction, seed):
    entries = [entry(n, group=g, stratum=s) for n, (g, s) in enumerate(zip(groups, strata, strict=False))]
    units = _units(entries, [])
    if len(units) < 2:
        return
    chosen = _choose(entries, units, fraction, np.random.default_rng(seed))
    assert 0 < len(chosen) < len(entries)
    for group in set(groups) - {""}:
        assert len({i in chosen for i, e in enumerate(entries) if e.group == group}) == 1


@pytest.mark.parametrize("axes", ["YX", "TZYX"])
def test_two_images_are_parted(tmp_path, axes):
    for number in range(2):
        sample = em_sections((6, 64, 64), number)
        image, labels = (a.reshape(2, 3, 64, 64) if "T" in axes else a[0] for a in (sample.image, sample.labels))
        write_image(tmp_path / f"images/{number}.tif", image, Geometry(axes))
        write_labels(tmp_path / f"labels/{number}.tif", labels, Geometry(axes))
    last = entry(1, sections=(3, 6) if "T" in axes else None)  # of the six that the times hold together
    split = split_dataset(Dataset(tmp_path, Description(), (entry(0), last)))
    assert (len(split.dataset.training), len(split.dataset.validation), split.duplicates) == (1, 1, ())


def test_strata_are_balanced():
    entries = [entry(n, stratum="rare" if n < 10 else "common") for n in range(110)]
    chosen = _choose(entries, _units(entries, []), 0.2, np.random.default_rng(0))
    assert len([i for i in chosen if i < 10]) == 2
    assert len(chosen) == 22


def test_what_cannot_be_parted(dataset):
    one_group = with_entries(dataset, [entry(n, group="g") for n in range(4)])
    with pytest.raises(InputError, match="belong together"):
        split_dataset(one_group)
    for fraction in (0, 1, float("nan")):
        with pytest.raises(InputError, match="fraction is"):
            split_dataset(dataset, fraction=fraction)


def test_sections(tmp_path):
    stack = em_sections((10, 32, 32), 0)
    write_image(tmp_path / "images/0.tif", stack.image)
    write_labels(tmp_path / "labels/0.tif", stack.labels)
    result = split_sections(Dataset(tmp_path, Description(), (entry(0),)), fraction=0.2, gap=1).dataset
    assert (result.training[0].sections, result.validation[0].sections) == ((0, 7), (8, 10))
    with pytest.raises(InputError, match="too few"):
        split_sections(Dataset(tmp_path, Description(), (entry(0),)), gap=9)
    # four pages of labels are no channels
    tifffile.imwrite(tmp_path / "labels/0.tif", stack.labels[:4], photometric="minisblack", metadata=None)
    result = split_sections(Dataset(tmp_path, Description(), (entry(0),)), fraction=0.2, gap=0).dataset
    assert (result.training[0].sections, result.validation[0].sections) == ((0, 3), (3, 4))


def test_sections_that_are_not_listed_stay_out(tmp_path):
    write_labels(tmp_path / "labels/0.tif", np.ones((20, 8, 8), np.uint8))

    def sections(*entries, **how):
        result = split_sections(Dataset(tmp_path, Description(), entries), **how).dataset
        return [e.sections for e in result.training], [e.sections for e in result.validation], result

    assert sections(entry(0, sections=(0, 10)))[:2] == ([(0, 7)], [(8, 10)])
    training, validation, result = sections(entry(0, sections=(0, 4)), entry(0, sections=(6, 12)), fraction=0.3)
    assert (training, validation) == ([(0, 4), (6, 8)], [(9, 12)])
    again = split_sections(result, fraction=0.3).dataset
    assert again == result, "sections that were left out between stay out, and no others"
    by_two = sections(entry(0, sections=(0, 5), others={"by": "A"}), entry(0, sections=(5, 10), others={"by": "B"}))[2]
    assert [(e.sections, e.others["by"]) for e in by_two.training] == [((0, 5), "A"), ((5, 7), "B")]
    with pytest.raises(InputError, match=r"\[0, 21\) are not among its 20"):
        sections(entry(0, sections=(0, 21)))


def test_sections_of_volumes_in_nifti(tmp_path):
    write_pixels(tmp_path / "labels/0.nii.gz", Pixels(np.ones((9, 9, 9)), None, np.eye(4)), labels=True)
    volume = Entry("images/0.nii.gz", "labels/0.nii.gz")
    with pytest.raises(InputError, match="is no stack"):
        split_sections(Dataset(tmp_path, Description(), (volume,)))


def test_sections_of_flat_images(dataset):
    with pytest.raises(InputError, match="is no stack"):
        split_sections(dataset)


def test_one_volume_is_not_told_to_be_parted_by_sections(tmp_path):
    for part in ("images", "labels"):
        write_pixels(tmp_path / part / "0.nii.gz", Pixels(np.ones((9, 9, 9)), None, np.eye(4)), labels=part == "labels")
    dataset = Dataset(tmp_path, Description(label_kind="classes"), (Entry("images/0.nii.gz", "labels/0.nii.gz"),))
    with pytest.raises(InputError, match=r"cannot be parted; add images or correct the groups$"):
        split_dataset(dataset)
