import re
from pathlib import Path

import pytest
from dicom_series import write_series

from medseg.errors import InputError
from medseg.io import list_volumes, name_volumes
from medseg.workflow.inputs import (
    gather_inputs,
    left_out,
    left_out_of_volumes,
    not_renewed,
    refuse_existing,
    result_path,
    undone,
)


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return [folder / name for name in names]


def test_what_is_missing_does_not_stop_the_others(tmp_path):
    a, _ = touch(tmp_path, "in/a.tif", "empty/x.txt")
    files, problems = gather_inputs([str(tmp_path / "gone.tif"), str(a.parent), str(tmp_path / "empty"), str(a)])
    assert files == {a: "a"}
    assert [p.partition(": ")[2][:9] for p in problems] == ["no such f", "no images"]


@pytest.mark.parametrize(
    "names",
    [
        ("a/x.tif", "b/x.tif"),
        ("a/x.png", "a/x.ome.tif"),
        ("a/x.ome.tif", "a/X.tif"),
        ("a/\xe9.png", "a/e\u0301.tif"),  # one name in the file systems of macOS
    ],
)
def test_refuses_files_whose_results_would_have_one_name(tmp_path, names):
    paths = touch(tmp_path, *names)
    pattern = "*" + names[1][names[1].index(".") :]
    with pytest.raises(InputError, match=f'results of the same name; .* "FOLDER/{re.escape(pattern)}"'):
        gather_inputs(map(str, paths))


def test_names_what_a_folder_holds_besides_images(tmp_path):
    a, *_ = touch(tmp_path, "in/a.tif", "in/b.CZI", "in/c.czi", "in/notes", "in/.hidden", "plain/b.jpg")
    touch(tmp_path / "plain", "Thumbs.db", "desktop.ini")
    (a.parent / "d.zarr").mkdir()
    (a.parent / "more").mkdir()
    (line,) = left_out([str(a.parent), str(tmp_path / "plain"), str(a)])
    assert line.startswith(f"{a.parent}: left out 4 of another format")
    assert line.endswith(
        "(.czi, .zarr, without ending); save images of other formats as OME-TIFF, with Fiji for example"
    )


def test_names_the_subfolders_of_which_no_volume_is_taken(tmp_path):
    write_series(tmp_path / "p" / "p1")
    write_series(tmp_path / "p" / "p1" / "scout")
    write_series(tmp_path / "p" / "p2" / "CT")
    (tmp_path / "p" / "empty").mkdir()
    write_series(tmp_path / "q" / "p3")
    touch(tmp_path, "q/p4.nii.gz")
    for given, taken, named in (
        (["p"], ["p1", "scout", "CT"], []),
        (["p/p?"], ["p1", "CT"], ["p1: left out 1 of its folders (scout);"]),
        (["q"], ["p4.nii.gz"], ["q: left out 1 of its folders (p3);"]),
        (["p/p1/scout", "q/p3", "q/p4.nii.gz"], ["scout", "p3", "p4.nii.gz"], []),
    ):
        inputs = [str(tmp_path / item) for item in given]
        volumes = list_volumes(inputs)
        assert [path.name for path in volumes] == taken
        lines = left_out_of_volumes(inputs, volumes)
        assert [line.rpartition("/")[2][: len(start)] for line, start in zip(lines, named, strict=True)] == named


def test_results_that_exist(tmp_path):
    a, b = touch(tmp_path, "a.tif", "b.ome.tif")
    files = {a: "a", b: "b"}
    out = tmp_path / "out"
    assert result_path(out, b, "labels") == out / "b_labels.tif"
    assert result_path(out, tmp_path, "labels", "ct").name == "ct_labels.nii.gz"  # a folder is a DICOM series
    touch(out, "b_objects.csv", "a_overlay.png")
    ready, problems = refuse_existing(files, out, ["labels", "objects"], overwrite=False)
    assert ready == [a]
    assert len(problems) == 1
    assert "b_objects.csv: exists already; use --overwrite" in problems[0]
    assert refuse_existing(files, out, ["labels", "objects"], overwrite=True) == ([a, b], [])
    assert undone(files, out, ["objects"]) == [a]
    assert undone(files, out, ["overlay", "objects"]) == [a, b]  # each lacks one of them
    assert undone({a: "b"}, out, ["objects"]) == []


def test_results_of_an_earlier_run_that_stay_are_named(tmp_path):
    files = {path: path.stem for path in touch(tmp_path, *(f"{k}.tif" for k in range(6)))}
    out = tmp_path / "out"
    touch(out, "0_labels.tif", "0_overlay.png", "0_preview.png", "1_rois.zip", "9_rois.zip")
    assert "an earlier run stay and may not fit the new labels (0_overlay.png, 1_rois.zip):" in not_renewed(
        files, out, []
    )
    assert "(1_rois.zip)" in not_renewed(files, out, ["labels", "overlay"])
    assert not_renewed(files, out, ["overlay", "rois"]) is None
    touch(out, *(f"{k}_coco.json" for k in range(6)))
    assert "4_coco.json and 1 more)" in not_renewed(files, out, ["overlay", "rois"])


@pytest.mark.parametrize("overwrite", [True, False])
def test_an_input_is_never_a_result(tmp_path, overwrite):
    files = {path: path.stem for path in touch(tmp_path, "x.tif", "x_labels.tif")}
    with pytest.raises(InputError, match=r"x_labels\.tif: is an input and would be the labels of"):
        refuse_existing(files, tmp_path / "sub" / "..", ["labels"], overwrite)


def test_a_report_or_summary_is_never_a_result(tmp_path):
    files, out = {path: path.stem for path in touch(tmp_path, "x.tif")}, tmp_path / "out"
    with pytest.raises(InputError, match=r"x_objects\.csv: would be the objects of .*x\.tif; give the report or"):
        refuse_existing(files, out, ["labels", "objects"], True, (None, out / ".." / "out" / "x_objects.csv"))
    assert refuse_existing(files, out, ["labels"], True, (out / "x_objects.csv", out / "r.json")) == (list(files), [])


def test_results_of_dicom_nests_and_patterns_are_named_after_the_way(tmp_path):
    for way in ("p10/ct", "p9/study/ct", "p9/study/pet", "flat"):
        write_series(tmp_path / way, tags={k: {"0008|0060": "PT"} for k in range(6)} if way.endswith("pet") else None)
    touch(tmp_path, "s1/ct.nii.gz", "s2/ct.nii.gz")
    files, problems = gather_inputs([str(tmp_path)], name_volumes)
    assert list(files.values()) == ["flat", "p9_study_ct", "p10_ct"]
    assert not problems
    (line,) = left_out_of_volumes([str(tmp_path)], files)
    assert "left out 3 of its folders (p9/study/pet, s1, s2);" in line
    for given, stem in (("p*/ct", "p10_ct"), ("p10/ct", "ct"), ("s1/ct.nii.gz", "ct"), ("fl*", "flat")):
        assert list(gather_inputs([str(tmp_path / given)], name_volumes)[0].values()) == [stem]
    assert list(gather_inputs([str(tmp_path / "s*" / "*.gz")], name_volumes)[0].values()) == ["s1_ct", "s2_ct"]
    with pytest.raises(InputError, match="name the folder above them"):
        gather_inputs([str(tmp_path / "p10/ct"), str(tmp_path / "p9/study/ct")], name_volumes)


def test_what_macos_hides_beside_a_series_is_no_volume(tmp_path):
    write_series(tmp_path / "p1" / "ct")
    touch(tmp_path / "p1", "ct/._scan.nii.gz", "._scan.nii.gz", ".DS_Store")
    assert list_volumes([tmp_path / "p1" / "ct", tmp_path / "p1"]) == [tmp_path / "p1" / "ct"]


def test_a_folder_that_may_not_be_opened_is_listed_and_links_in_circles_end(tmp_path, monkeypatch):
    write_series(tmp_path / "p1" / "ct")
    (tmp_path / "p1" / "again").symlink_to(tmp_path)
    locked, look = tmp_path / "p2", Path.iterdir
    locked.mkdir()

    def iterdir(folder):
        if folder == locked:
            raise PermissionError(13, "Permission denied", str(folder))
        return look(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    assert list(name_volumes(tmp_path).values()) == ["p1_ct", "p2"]
