"""The page that `medseg evaluate --report` writes, also as a browser shows it."""

import re
import shutil
import subprocess

import imagecodecs
import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels
from medseg.metrics.evaluation_options import EvaluationOptions
from medseg.report import evaluation_report
from medseg.report.evaluation_report import write_report
from medseg.report.pair_errors import errors_of_pairs
from medseg.workflow.evaluate import evaluate_files
from medseg.workflow.pairs import FilePair

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LIGHT, DARK = (251, 251, 250), (22, 24, 26)  # of the page's background


def write_pairs(folder, number, shape=(48, 64)):
    """Pairs of which number k has k % 3 errors."""
    pairs = []
    for k in range(number):
        reference = np.zeros(shape, np.uint8)
        reference[..., 2:46, 2:30] = reference[..., 2:46, 32:60] = 255
        prediction = reference.copy()
        for error in range(k % 3):
            prediction[..., 10 + 20 * error, 30:32] = 255
        stem = f"cell <{k:03d}> & co"
        for name, image in (("truth", reference), ("found", prediction)):
            write_labels(folder / name / f"{stem}.tif", image)
        pairs.append(FilePair(stem, folder / "found" / f"{stem}.tif", folder / "truth" / f"{stem}.tif"))
    return pairs


@pytest.fixture
def evaluation(tmp_path):
    return evaluate_files(write_pairs(tmp_path, 3), EvaluationOptions(metrics=("warping_error", "mergers", "v_rand")))


def test_scores_places_and_images_are_there(tmp_path, evaluation):
    write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation, spacing_um=(0.5, 0.25)))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "cell &lt;002&gt; &amp; co" in text
    assert "<002>" not in text
    assert text.index('id="image-0"') < text.index("cell &lt;000&gt; &amp; co</b> ·")  # the worst comes first
    assert "2 merges" in text
    assert "no topological error" in text
    assert "<th>error</th><th>y (px)</th>" in text
    assert "y 10, x 30 (5, 7.5 µm)" in text or "y 10, x 31 (5, 7.75 µm)" in text
    assert "The 2 places worth looking at" in text  # of the two merges of one object, one
    assert "with 1 more of this object" in text
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", text)


@pytest.mark.parametrize("metric", ["mergers", "v_rand"])  # lower is better, higher is better
def test_the_worst_images_and_places_come_first(tmp_path, monkeypatch, metric):
    monkeypatch.setattr(evaluation_report, "PLACES_SHOWN", 2)
    pairs = []
    for stem, width in (("sound", 0), ("small", 6), ("large", 24), ("medium", 12)):
        reference = np.zeros((40, 64), np.uint8)
        reference[2:38, 2:31] = reference[2:38, 32 : 32 + max(width, 9)] = 255
        prediction = reference.copy()
        prediction[20, 31] = 255 * (width > 0)
        for name, image in (("truth", reference), ("found", prediction)):
            write_labels(tmp_path / name / f"{stem}.tif", image)
        pairs.append(FilePair(stem, tmp_path / "found" / f"{stem}.tif", tmp_path / "truth" / f"{stem}.tif"))
    evaluation = evaluate_files(pairs, EvaluationOptions(metrics=(metric,)))
    write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    cards, images = text.split("Images, the worst first")
    assert re.findall("sound|small|medium|large", cards) == ["large", "medium"]
    rows = re.findall(r'<a href="#(image-\d)">(\w+)</a>', images)
    assert [anchor for anchor, _ in rows] == ["image-0", "image-1", "image-2", "image-3"]
    assert re.findall(r"<summary><b>(\w+)</b>", images) == [stem for _, stem in rows]
    assert rows[-1][1] == "sound"
    assert metric == "mergers" or [stem for _, stem in rows[:3]] == ["large", "medium", "small"]


def test_raw_images_are_shown_where_they_fit(tmp_path, evaluation):
    stem, other = (pair.stem for pair in evaluation.pairs[:2])
    write_image(tmp_path / "raw.tif", np.arange(48 * 64, dtype=np.uint16).reshape(48, 64))
    write_image(tmp_path / "other.tif", np.zeros((48, 63), np.uint8))
    images = {stem: tmp_path / "raw.tif", other: tmp_path / "other.tif"}
    (problem,) = write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation), images=images)
    assert problem.startswith(f"{tmp_path / 'other.tif'} has the shape (48, 63)")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count('alt="image"') == 1
    assert "<b>Not shown:</b> " in text
    images = {stem: tmp_path / "raw.tif", other: tmp_path / "gone.tif"}
    (problem,) = write_report(
        tmp_path / "report.html", evaluation, errors_of_pairs(evaluation), images=images, overwrite=True
    )
    assert problem == f"{tmp_path / 'gone.tif'}: no such file"


def test_a_stack_shows_its_worst_sections(tmp_path):
    reference = np.zeros((9, 30, 62), np.uint8)
    reference[:, 2:28, 2:30] = reference[:, 2:28, 32:60] = 1
    prediction = reference.copy()
    prediction[[1, 3, 4, 6, 8], 15, 30:32] = 1
    for name, image in (("truth", reference), ("found", prediction)):
        write_labels(tmp_path / f"{name}.tif", image)
    pair = FilePair("stack", tmp_path / "found.tif", tmp_path / "truth.tif")
    evaluation = evaluate_files([pair], EvaluationOptions())
    write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation))
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "4 of 9 sections shown: the worst." in text
    assert set(re.findall(r'alt="section (\d): truth"', text)) == {"1", "3", "4", "6"}
    assert "section 8 · y 15" in text
    assert "<th>error</th><th>section</th><th>y (px)</th>" in text


def test_a_volume_shows_three_planes_of_each_place(tmp_path):
    """Two cells that are joined through z look the same on both sides in the plane where they are."""
    reference = np.zeros((9, 30, 40), np.uint8)
    reference[:4, 2:28, 2:38], reference[5:, 2:28, 2:38] = 1, 2
    prediction = np.where(reference > 0, 1, 0).astype(np.uint8)
    prediction[4, 10, 20] = 1
    for name, image in (("truth", reference), ("found", prediction)):
        write_labels(tmp_path / f"{name}.tif", image, Geometry("ZYX", (2.0, 0.5, 0.5), "um"))
    pair = FilePair("stack", tmp_path / "found.tif", tmp_path / "truth.tif")
    for objects in ("volume", "sections"):
        evaluation = evaluate_files([pair], EvaluationOptions(metrics=("warping_error",)), objects=objects)
        write_report(tmp_path / f"{objects}.html", evaluation, errors_of_pairs(evaluation, objects=objects))
    text = (tmp_path / "volume.html").read_text(encoding="utf-8")
    shown = re.findall(r'alt="(\w\w (?:prediction|truth|error))"', text)
    assert shown == [f"{plane} {side}" for plane in ("XY", "XZ", "YZ") for side in ("prediction", "truth", "error")]
    assert "section 4 · y 10, x 20 (8, 5, 10 µm)" in text
    assert "<th>z (µm)</th><th>y (µm)</th><th>x (µm)</th>" in text
    assert "three planes are shown" in text
    text = (tmp_path / "sections.html").read_text(encoding="utf-8")
    assert "section 4 · y 10, x 20 (5, 10 µm)" in text
    assert not re.search("three planes|XZ|z \\(µm", text)


def test_an_existing_page_stays(tmp_path, evaluation):
    (tmp_path / "report.html").write_text("mine")
    with pytest.raises(InputError, match="exists"):
        write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation))
    write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation), overwrite=True)
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
@pytest.mark.parametrize("number", [1, 200])
def test_in_a_browser_light_and_dark(tmp_path, number):
    pairs = write_pairs(tmp_path, number)
    evaluation = evaluate_files(pairs, EvaluationOptions(metrics=("warping_error", "dice")))
    write_report(tmp_path / "report.html", evaluation, errors_of_pairs(evaluation))
    assert (tmp_path / "report.html").stat().st_size < 25_000 * (number + 20)
    for scheme, background in ((1, LIGHT), (0, DARK)):
        picture = screenshot(tmp_path, scheme)
        assert tuple(picture[0, 0, :3]) == background
        colours = np.unique(picture.reshape(-1, picture.shape[-1])[:, :3], axis=0)
        assert len(colours) > 20  # text, and not a blank page
        if number > 1:
            assert (colours == (213, 94, 0)).all(axis=1).any()  # a merge


def screenshot(folder, scheme):
    target = folder / f"{scheme}.png"
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
        "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}", f"--blink-settings=preferredColorScheme={scheme}",
        "--window-size=1200,1600", f"--screenshot={target}", (folder / "report.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return imagecodecs.png_decode(target.read_bytes())
