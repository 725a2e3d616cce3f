"""The commands of the page on volumes that score organs, and train on others, run as printed, on small phantoms."""

import json
import re
import runpy
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from csv_rows import csv_rows
from matplotlib.figure import Figure
from matplotlib.image import imread
from nifti_file import save_nifti

from data_tools.synth.ct_phantom import ct_phantom
from medseg.io import Space, write_label_volume
from medseg.io.nifti import write_nifti

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "volumes.md").read_text(encoding="utf-8")
TINY = ("--device", "cpu", "--set", "spacing_mm=[12, 12, 12]", "--set")
TINY_TRAIN = ("patch_size=[16, 16, 16]", "--set", "crop_size=[16, 16, 16]", "--set", "crops_per_epoch=2")


@pytest.fixture
def two_organs(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for k in range(2):
        sample = ct_phantom((40, 32, 24), seed=k)
        organs = np.where(sample.labels <= 2, sample.labels, 0).astype(np.uint8)
        for part, array in (("images", sample.image), ("labels", organs)):
            save_nifti(tmp_path / "ct" / part / f"p{k}.nii.gz", array, sample.affine)
    shutil.copy(tmp_path / "ct" / "images" / "p0.nii.gz", tmp_path / "new.nii.gz")
    return tmp_path


def commands(heading: str) -> list[list[str]]:
    section = PAGE.partition(f"## {heading}\n")[2]
    lines = re.search(r"```text\n(.*?)```", section, flags=re.S)[1].replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines]


def rows(folder: Path) -> dict[str, str]:
    return {row["label"]: row["structure"] for row in csv_rows(folder / "new_structures.csv")}


def test_scores_of_organs(medseg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sample = ct_phantom((40, 32, 24), seed=0)
    labels = np.where(sample.labels <= 7, sample.labels, 0).astype(np.uint8)
    for path in ("out/p1_labels.nii.gz", "truth/p1.nii.gz"):
        write_label_volume(path, labels, Space.scanner(sample.affine))
    write_nifti("ct/p1.nii.gz", sample.image, Space.scanner(sample.affine))
    for command in commands("How good is it?"):
        done = medseg(*command)
        assert done.code == 0, done.err
        assert "Brainstem" in done.out
        assert "1.000" in done.out
    assert (tmp_path / "scores.csv").is_file()


def test_the_picture_is_what_its_script_draws(tmp_path, monkeypatch):
    drawing = runpy.run_path(str(DOCS / "figures" / "organ_report.py"))
    save = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, path, **options: save(self, tmp_path / path.name, **options))
    drawing["main"]()
    drawn, shown = (imread(folder / "organ_report.png") for folder in (tmp_path, DOCS / "figures"))
    assert drawn.shape == shown.shape
    assert np.abs(drawn - shown).mean() < 0.02, "draw it anew: python docs/figures/organ_report.py"


def test_other_organs(medseg, two_organs):
    train, predict = commands("Other organs")
    done = medseg(*train, *TINY, *TINY_TRAIN, "--epochs", 1, "--no-check")
    assert done.code == 0, done.err
    assert "will not learn" not in done.out
    done = medseg(*predict, "--device", "cpu", "--set", "tile_shape=[16, 16, 16]")
    assert done.code == 0, done.err
    assert "as in training: spacing_mm=[12, 12, 12]" in done.out
    assert rows(two_organs / "out") == {"1": "liver", "2": "spleen"}


@pytest.mark.parametrize("classes", [None, {"0": "air", "1": "liver", "2": "spleen", "9": "none of the network's"}])
def test_organs_that_nobody_names_have_the_names_of_the_data_or_none(medseg, two_organs, classes):
    items = [{part: f"{part}s/p{k}.nii.gz" for part in ("image", "label")} for k in range(2)]
    dataset = {"training": items[:1], "validation": items[1:]} | ({"classes": classes} if classes else {})
    (two_organs / "ct" / "dataset.json").write_text(json.dumps(dataset))
    train, predict = commands("Other organs")
    done = medseg(*train[:-2], *TINY, *TINY_TRAIN, "--epochs", 1, "--no-check")
    assert done.code == 0, done.err
    assert medseg(*predict, "--device", "cpu", "--set", "tile_shape=[16, 16, 16]").code == 0
    assert rows(two_organs / "out") == ({"1": "liver", "2": "spleen"} if classes else {"1": "label 1", "2": "label 2"})


@pytest.mark.parametrize("structures", ['{"3": "liver"}', '{"liver": 1}', "liver", '["liver"]'])
def test_names_of_other_labels_are_refused_before_training(medseg, two_organs, structures):
    train, _ = commands("Other organs")
    done = medseg(*train[:-1], f"structures={structures}", *TINY, *TINY_TRAIN, "--epochs", 1, "--no-check")
    assert done.code == 2
    assert "give names by label" in done.err
    assert not (two_organs / "run").exists()


def test_classes_that_no_label_holds_are_told(medseg, two_organs):
    train = [part.replace("out_channels=3", "out_channels=5") for part in commands("Other organs")[0]]
    done = medseg(*train, *TINY, *TINY_TRAIN, "--epochs", 1, "--no-check")
    assert done.code == 0, done.err
    assert "warning: no label in ct holds 3, 4, which the network will not learn" in done.out
