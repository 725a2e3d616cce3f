import pytest

from medseg.errors import InputError
from medseg.io import list_volumes


def test_listing(tmp_path):
    for name in ("b10.nii.gz", "b9.nrrd", "note.txt", ".hidden.nii"):
        (tmp_path / name).write_bytes(b"")
    assert [p.name for p in list_volumes(tmp_path)] == ["b9.nrrd", "b10.nii.gz"]
    assert [p.name for p in list_volumes(str(tmp_path / "*.nii.gz"))] == ["b10.nii.gz"]
    with pytest.raises(InputError, match="no such file"):
        list_volumes(tmp_path / "x")
    (tmp_path / "sub").mkdir()
    (tmp_path / "other").mkdir()
    for name in ("ct [1].nii", "ct 1.nii"):
        (tmp_path / "other" / name).write_bytes(b"")
    assert [p.name for p in list_volumes(str(tmp_path / "other" / "ct [1].nii"))] == ["ct [1].nii"]
    (tmp_path / "sub" / "b11.mha").write_bytes(b"")
    assert [p.name for p in list_volumes(str(tmp_path / "[bs]*"))] == ["b9.nrrd", "b10.nii.gz", "b11.mha"]
    (tmp_path / "b11.nii").symlink_to(tmp_path / "gone.nii")
    assert [p.name for p in list_volumes(tmp_path)] == ["b9.nrrd", "b10.nii.gz", "b11.nii"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no volumes in this folder"):
        list_volumes(tmp_path / "empty")
    with pytest.raises(InputError, match="no input"):
        list_volumes([])
