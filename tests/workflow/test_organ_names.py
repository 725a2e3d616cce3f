"""Who says which value is which organ."""

import json

import pytest

from medseg.errors import InputError
from medseg.workflow.organ_names import organ_names


def test_sources_of_names(tmp_path):
    assert organ_names("labels") is None
    assert organ_names("Spleen=2, Left kidney = 1") == {1: "Left kidney", 2: "Spleen"}
    assert organ_names("headneck_ct_unet3d")[7] == "Mandible"
    described = tmp_path / "dataset.json"
    described.write_text(json.dumps({"classes": {"0": "background", "3": "liver"}}))
    assert organ_names(str(described)) == {3: "liver"}
    table = tmp_path / "x_structures.csv"
    table.write_text("label,structure,voxels\n1,liver,5\n2,spleen,0\n")
    assert organ_names(str(table)) == {1: "liver", 2: "spleen"}
    for path in (described, table):  # as Windows programs save them
        path.write_text(path.read_text(), "utf-8-sig")
        assert "liver" in organ_names(str(path)).values()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("headneck", "--organs headneck: no bundle, no file and no NAME=VALUE; name a bundle"),
        ("nuclei_unetplusplus", "segments no organs in volumes"),
        ("Liver=one", "a value from 1 to 65535"),
        ("=1", "needs a name"),
        ("Liver=1,Spleen", "needs a name"),
        ("Liver=1;Spleen=2", "needs a name"),
        ("Liver=-1", "a value from 1"),
        ("background=0", "each organ needs"),
        ("Liver=1,Spleen=1", "1 stands for two organs"),
        ("Liver=1,Liver=2", "Liver stands for two organs"),
        ("", "no bundle"),
    ],
)
def test_names_that_are_none(text, message):
    with pytest.raises(InputError, match=message):
        organ_names(text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "{}"),
        ("a.json", "[]"),
        ("a.csv", "organ\n1\n"),
        ("a.csv", "label,structure\n1\n"),
        ("a.csv", "structure,label\nliver\n"),
    ],
)
def test_files_that_name_nothing(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=f"{name}: "):
        organ_names(str(tmp_path / name))
