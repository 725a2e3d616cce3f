"""`medseg evaluate` on stacks, volumes and series of them, as a user runs it."""

import json

import numpy as np
import pytest
import tifffile
from csv_rows import csv_rows
from evaluate_command import run

from medseg.errors import InputError
from medseg.io import Geometry, write_labels


def test_stack_without_named_axes_and_undefined_sections(tmp_path):
    mask = np.zeros((3, 40, 40), np.uint8)  # tifffile takes three pages for colours
    mask[0, 4:30, 4:20] = mask[0, 4:30, 24:38] = 255
    for name in "pr":
        tifffile.imwrite(tmp_path / f"{name}.tif", mask)
    with pytest.raises(InputError, match="--axes ZYX"):
        run(tmp_path / "p.tif", tmp_path / "r.tif")
    named = run(tmp_path / "p.tif", tmp_path / "r.tif", "--axes", "ZYX", "--metrics", "v_rand")
    for name in "pr":
        tifffile.imwrite(tmp_path / f"{name}.tif", mask, photometric="minisblack")
    result = run(tmp_path / "p.tif", tmp_path / "r.tif", "--json", tmp_path / "s.json")
    assert "undefined in 2 sections" in named.output
    assert "undefined in 2 sections" in result.output
    scores = json.loads((tmp_path / "s.json").read_text())
    assert scores["undefined"]["total"]["v_rand"] == 2
    assert scores["total"]["v_rand"] == 1


@pytest.mark.parametrize("axes", ["ZYX", "TYX"])
def test_objects_of_a_volume_reach_through_its_sections_those_of_times_do_not(tmp_path, axes):
    volume = np.zeros((4, 20, 20), np.uint16)
    volume[:, 2:10, 2:18], volume[:, 11:18, 2:18] = 7, 70000 % 65536
    restarted = volume.copy()
    restarted[2:] = np.where(volume[2:] > 0, volume[2:] + 1, 0)
    for name, image in (("r", volume), ("p", restarted)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry(axes))
    files = (tmp_path / "p.tif", tmp_path / "r.tif", "--metrics", "ap50", "--json", tmp_path / "s.json", "--overwrite")
    ap = {}
    for objects in ("auto", "volume", "sections"):
        run(*files, "--objects", objects)
        ap[objects] = json.loads((tmp_path / "s.json").read_text())["total"]["ap50"]
    assert ap["volume"] < ap["sections"] == 1
    assert ap["auto"] == ap["volume" if axes == "ZYX" else "sections"]
    for objects in ("auto", "volume", "sections"):
        said = run(*files[:2], "--metrics", "splits", "--objects", objects).output
        assert ("the warping error is that of single sections" in said) == (objects == "auto" and axes == "ZYX")


def test_the_topology_of_a_volume(tmp_path):
    volume = np.zeros((7, 20, 20), np.uint16)
    volume[:3, 2:18, 2:18], volume[4:, 2:18, 2:18] = 1, 2
    joined = np.where(volume > 0, 1, 0).astype(np.uint8)
    joined[3, 8:10, 8:10] = 1
    for name, image in (("r", volume), ("p", joined)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry("ZYX"))
    table, page = tmp_path / "e.csv", tmp_path / "e.html"
    files = (tmp_path / "p.tif", tmp_path / "r.tif", "--prediction-kind", "binary", "--overwrite")
    flags = ("--metrics", "mergers", "--json", tmp_path / "s.json", "--errors", table, "--report", page)
    found = {}
    for objects in ("volume", "sections"):
        assert run(*files, *flags, "--objects", objects).exit_code == 0
        found[objects] = json.loads((tmp_path / "s.json").read_text())["total"]["mergers"]
        found[objects, "errors"] = [row["error"] for row in csv_rows(table)]
    assert found == {
        "volume": 4,
        ("volume", "errors"): ["merge"],
        "sections": 0,
        ("sections", "errors"): ["object_addition"],
    }


@pytest.mark.parametrize("found", [0, 2])
def test_a_volume_in_which_little_was_found_is_compared_as_a_volume(tmp_path, found):
    truth = np.zeros((3, 16, 20), np.uint16)
    truth[:, 2:8, 2:8], truth[:, 2:8, 10:18] = 1, 2
    prediction = np.where(truth == found, truth, 0).astype(np.uint16)
    for name, volume in (("p", prediction), ("r", truth)):
        write_labels(tmp_path / f"{name}.tif", volume, Geometry("ZYX"))
    result = run(tmp_path / "p.tif", tmp_path / "r.tif", "--matches", tmp_path / "matches.csv")
    assert "prediction taken as labels" in result.output
    assert ("(1 matched, 1 missed)" if found else "(2 missed)") in result.output


def test_axes_in_another_order_are_refused(tmp_path):
    labels = np.zeros((3, 3, 16, 16), np.uint16)
    labels[0, 1, 2:8, 2:8] = 1
    labels[2, :, 2:8, 2:8] = 2
    for axes in ("TZYX", "ZTYX"):
        tifffile.imwrite(tmp_path / f"{axes}.ome.tif", labels, metadata={"axes": axes})
    with pytest.raises(InputError, match=r"has the axes ZTYX but .* TZYX; save them in one order"):
        run(tmp_path / "ZTYX.ome.tif", tmp_path / "TZYX.ome.tif")


def test_borders_are_not_thinned_in_volumes_and_the_json_says_what_objects_were(tmp_path, recwarn):
    volume = np.zeros((3, 16, 20), np.uint16)
    volume[:, 2:8, 2:8], volume[:, 8, 2:8], volume[:, 9, 2:8] = 1, 2, 3  # 2 is no thicker than a border
    pair = [tmp_path / f"{name}.tif" for name in "pr"]
    for path in pair:
        write_labels(path, volume, Geometry("ZYX"))
    with pytest.raises(InputError, match="section by section"):
        run(*pair, "--thin-borders", "--objects", "volume")
    outputs = ["--json", tmp_path / "s.json", "--matches", tmp_path / "m.csv", "--errors", tmp_path / "e.csv"]
    run(*pair, "--objects", "sections", "--thin-borders", *outputs)
    assert json.loads((tmp_path / "s.json").read_text())["options"]["volumetric"] is False
    assert "vanished" in (tmp_path / "s.json").read_text()
    assert not [w for w in recwarn if "vanished" in str(w.message)]
