import pytest
from dicom_series import write_series

from medseg.errors import InputError
from medseg.io import list_volumes
from medseg.workflow.inputs import gather_inputs, left_out, left_out_of_volumes, refuse_existing, result_path


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return [folder / name for name in names]


def test_what_is_missing_does_not_stop_the_others(tmp_path):
    a, _ = touch(tmp_path, "in/a.tif", "empty/x.txt")
    files, problems = gather_inputs([str(tmp_path / "gone.tif"), str(a.parent), str(tmp_path / "empty"), str(a)])
    assert files == [a]
    assert [p.partition(": ")[2][:9] for p in problems] == ["no such f", "no images"]


@pytest.mark.parametrize("names", [("a/x.tif", "b/x.tif"), ("a/x.tif", "a/x.png"), ("a/x.ome.tif", "a/X.tif")])
def test_refuses_files_whose_results_would_have_one_name(tmp_path, names):
    paths = touch(tmp_path, *names)
    with pytest.raises(InputError, match="results of the same name"):
        gather_inputs(map(str, paths))


def test_names_what_a_folder_holds_besides_images(tmp_path):
    a, *_ = touch(tmp_path, "in/a.tif", "in/b.CZI", "in/c.czi", "in/notes", "in/.hidden", "plain/b.jpg")
    (line,) = left_out([str(a.parent), str(tmp_path / "plain"), str(a)])
    assert line.startswith(f"{a.parent}: left out 3 of another format")
    assert line.endswith("(.czi, without ending)")


def test_names_the_subfolders_of_which_no_volume_is_taken(tmp_path):
    write_series(tmp_path / "p" / "p1")
    write_series(tmp_path / "p" / "p1" / "scout")
    write_series(tmp_path / "p" / "p2" / "CT")
    (tmp_path / "p" / "empty").mkdir()
    write_series(tmp_path / "q" / "p3")
    touch(tmp_path, "q/p4.nii.gz")
    for given, taken, named in (
        (["p"], ["p1"], ["p: left out 1 of its folders (p2);"]),
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
    out = tmp_path / "out"
    assert result_path(out, b, "labels") == out / "b_labels.tif"
    touch(out, "b_objects.csv", "a_overlay.png")
    ready, problems = refuse_existing([a, b], out, ["labels", "objects"], overwrite=False)
    assert ready == [a]
    assert len(problems) == 1
    assert "b_objects.csv: exists already; use --overwrite" in problems[0]
    assert refuse_existing([a, b], out, ["labels", "objects"], overwrite=True) == ([a, b], [])


@pytest.mark.parametrize("overwrite", [True, False])
def test_an_input_is_never_a_result(tmp_path, overwrite):
    files = touch(tmp_path, "x.tif", "x_labels.tif")
    with pytest.raises(InputError, match=r"x_labels\.tif: is an input and would be the labels of"):
        refuse_existing(files, tmp_path / "sub" / "..", ["labels"], overwrite)
