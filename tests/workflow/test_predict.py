import errno
from pathlib import Path

import numpy as np
import pytest
from csv_rows import csv_rows

from medseg.catalog import Bundle
from medseg.io import Geometry, read_image, read_labels, write_image
from medseg.workflow import predict as module
from medseg.workflow.predict import Predictor

EVERYTHING = {"device": "cpu", "save_probability": True, "save_overlay": True}


@pytest.fixture(scope="module")
def stack(em_folder, tmp_path_factory):
    """A z-stack of three sections."""
    sections = np.stack([read_image(em_folder / "images" / f"s{k}.tif")[0] for k in range(3)])
    path = tmp_path_factory.mktemp("stack") / "z.ome.tif"
    write_image(path, sections, Geometry("ZYX", (50.0, 4.0, 4.0), "nm"))
    return path


def test_results_of_a_stack(tiny_bundle, stack, tmp_path):
    seen = []
    predictor = Predictor(Bundle(tiny_bundle), tmp_path, EVERYTHING, lambda done, total: seen.append((done, total)))
    result = predictor(stack)
    assert (result.status, result.error, result.input) == ("ok", None, str(stack))
    assert {kind: Path(name).name for kind, name in result.outputs.items()} == {
        "labels": "z_labels.tif",
        "probability": "z_probability.tif",
        "overlay": "z_overlay.png",
        "objects": "z_objects.csv",
    }
    labels, geometry = read_labels(tmp_path / "z_labels.tif")
    assert (labels.shape, labels.dtype, geometry.axes, geometry.unit) == ((3, 100, 110), np.uint16, "ZYX", "nm")
    assert geometry.spacing == pytest.approx((50.0, 4.0, 4.0))
    probability, its = read_image(tmp_path / "z_probability.tif")
    assert (probability.dtype, its) == (np.float32, geometry)
    assert 0 <= probability.min() < 0.5 < probability.max() <= 1
    assert not labels[probability <= 0.5].any()
    assert result.objects == labels.max() == len(np.unique(labels)) - 1 > 3
    rows = csv_rows(tmp_path / "z_objects.csv")
    assert sorted(int(row["label"]) for row in rows) == list(range(1, result.objects + 1))
    first = labels[int(rows[0]["section"])] == int(rows[0]["label"])
    raw = read_image(stack)[0][int(rows[0]["section"])]
    assert float(rows[0]["mean_intensity"]) == pytest.approx(raw[first].mean(), rel=1e-5)  # of the file's own numbers
    assert float(rows[0]["area_um2"]) == pytest.approx(first.sum() * 16e-6)
    assert seen[-1] == (3, 3)


def test_outputs_are_those_of_this_run(tiny_bundle, em_folder, tmp_path):
    first = Predictor(Bundle(tiny_bundle), tmp_path, EVERYTHING)(em_folder / "images" / "s0.tif")
    again = Predictor(Bundle(tiny_bundle), tmp_path, {"device": "cpu", "overwrite": True})(Path(first.input))
    assert (again.status, sorted(again.outputs)) == ("ok", ["labels", "objects"])


def test_a_section_by_itself_is_the_section_of_the_stack(tiny_bundle, stack, em_folder, tmp_path):
    predictor = Predictor(Bundle(tiny_bundle), tmp_path, EVERYTHING)
    predictor(stack)
    predictor(em_folder / "images" / "s1.tif")
    whole, _ = read_image(tmp_path / "z_probability.tif")
    single, _ = read_image(tmp_path / "s1_probability.tif")
    np.testing.assert_allclose(single, whole[1], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 90), (2, 3)])
def test_any_size(tiny_bundle, tmp_path, shape):
    write_image(tmp_path / "x.tif", np.arange(np.prod(shape), dtype=np.uint16).reshape(shape))
    result = Predictor(Bundle(tiny_bundle), tmp_path / "out", EVERYTHING)(tmp_path / "x.tif")
    assert result.error is None
    assert read_labels(tmp_path / "out" / "x_labels.tif")[0].shape == shape


def test_after_a_bad_file_the_next_is_done_as_if_alone(tiny_bundle, em_folder, tmp_path):
    (tmp_path / "bad.tif").write_bytes(b"II*\0 and no more")
    good = em_folder / "images" / "s0.tif"
    predictor = Predictor(Bundle(tiny_bundle), tmp_path / "a", EVERYTHING)
    failed, done = predictor(tmp_path / "bad.tif"), predictor(good)
    assert (failed.status, done.status) == ("failed", "ok")
    assert failed.error.startswith(f"{tmp_path / 'bad.tif'}: cannot be read as TIFF")
    assert failed.outputs == {}
    assert {p.name.partition("_")[0] for p in (tmp_path / "a").iterdir()} == {"s0"}
    Predictor(Bundle(tiny_bundle), tmp_path / "b", EVERYTHING)(good)
    for name in ("s0_labels.tif", "s0_probability.tif"):
        np.testing.assert_array_equal(read_image(tmp_path / "a" / name)[0], read_image(tmp_path / "b" / name)[0])


@pytest.mark.parametrize("kind", ["probability", "objects", "overlay"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_half_way_leaves_no_half_of_the_results(
    tiny_bundle, em_folder, tmp_path, monkeypatch, kind, overwrite
):
    """The results before ``kind`` were written already; with --overwrite in place of older ones."""
    good, real = em_folder / "images" / "s0.tif", module.os.replace
    predictor = Predictor(Bundle(tiny_bundle), tmp_path, EVERYTHING | {"overwrite": overwrite})
    if overwrite:
        assert predictor(good).status == "ok"

    def full(source, target):
        if kind in Path(target).name:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("medseg.io.atomic.os.replace", full)
        result = predictor(good)
    assert result.status == "failed"
    assert "No space left on device" in result.error
    left = {p.name for p in tmp_path.iterdir()}
    assert "s0_labels.tif" not in left
    assert not [name for name in left if ".part" in name]
    if not overwrite:
        assert not left


def test_tiles_of_any_size_give_the_same_probability(tiny_bundle, em_folder, tmp_path):
    found = []
    for side in (204, 700):
        out = tmp_path / str(side)
        Predictor(Bundle(tiny_bundle), out, EVERYTHING | {"tile_shape": [side, side]})(em_folder / "images" / "s0.tif")
        found.append(read_image(out / "s0_probability.tif")[0])
    np.testing.assert_allclose(*found, atol=1e-5)
