"""Which prediction belongs to which reference."""

import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import write_image
from medseg.workflow.pairs import match_images, pair_files


def touch(folder, *names):
    for name in names:
        write_image(folder / name, np.zeros((2, 2), np.uint8))
    return folder


def test_two_files_need_no_common_stem(tmp_path):
    touch(tmp_path, "out_labels.tif", "truth.tif")
    (pair,), notices = pair_files(tmp_path / "out_labels.tif", tmp_path / "truth.tif")
    assert (pair.stem, notices) == ("truth", [])


def test_folders_by_stem(tmp_path):
    predictions = touch(tmp_path / "p", "a_labels.tif", "a_overlay.png", "b10.tif", "b2_probability.tif")
    references = touch(tmp_path / "r", "b10.ome.tif", "b2.png", "a.tif")
    pairs, notices = pair_files(predictions, references)
    assert [(p.stem, p.prediction.name, p.reference.name) for p in pairs] == [
        ("a", "a_labels.tif", "a.tif"),
        ("b2", "b2_probability.tif", "b2.png"),
        ("b10", "b10.tif", "b10.ome.tif"),
    ]
    assert notices == []


def test_accents_as_finder_and_as_others_write_them(tmp_path):
    """The same letters: é as one character, or as e and its accent."""
    predictions = touch(tmp_path / "p", "cafe\u0301_cp_masque\u0301s.tif")
    references = touch(tmp_path / "r", "caf\xe9.tif")
    (pair,), notices = pair_files(predictions, references, prediction_ending="_cp_masqu\xe9s")
    assert (pair.stem, notices) == ("caf\xe9", [])
    assert list(match_images(touch(tmp_path / "i", "cafe\u0301.png", "x.png"), [pair.stem])) == [pair.stem]


def test_several_results_of_one_image(tmp_path):
    predictions = touch(tmp_path / "p", "a_labels.tif", "a_probability.tif")
    references = touch(tmp_path / "r", "a.tif")
    (pair,), (notice,) = pair_files(predictions, references)
    assert pair.prediction.name == "a_labels.tif"
    assert "a_probability.tif is not" in notice
    (pair,), _ = pair_files(predictions, references, "probability")
    assert pair.prediction.name == "a_probability.tif"


def test_a_name_that_ends_like_a_result_is_itself(tmp_path):
    touch(tmp_path / "p", "a_labels.tif")
    touch(tmp_path / "r", "a_labels.tif")
    (pair,), _ = pair_files(tmp_path / "p", tmp_path / "r")
    assert pair.stem == "a_labels"


def test_names_of_other_tools_by_their_endings(tmp_path):
    names = "a.tif", "a_cp_masks.tif", "a_masks.png", "b_cp_masks.tif", "b_masks.tif", "b_cp_output.png"
    folder = touch(tmp_path, *names)
    pairs, notices = pair_files(folder, folder, prediction_ending="_cp_masks", reference_ending="_masks")
    found = [(p.stem, p.prediction.name, p.reference.name) for p in pairs]
    assert found == [("a", "a_cp_masks.tif", "a_masks.png"), ("b", "b_cp_masks.tif", "b_masks.tif")]
    assert notices == []
    (pair, _), _ = pair_files(folder, folder, prediction_ending="_masks", reference_ending="_cp_masks")
    assert (pair.prediction.name, pair.reference.name) == ("a_masks.png", "a_cp_masks.tif")


def test_an_ending_on_one_side(tmp_path):
    predictions, references = touch(tmp_path / "p", "a.tif", "a_pred.tif"), touch(tmp_path / "r", "a.tif")
    (pair,), notices = pair_files(predictions, references, prediction_ending="_pred")
    assert (pair.prediction.name, notices) == ("a_pred.tif", [])
    (pair,), _ = pair_files(predictions, predictions, prediction_ending="_pred")
    assert (pair.stem, pair.prediction.name, pair.reference.name) == ("a", "a_pred.tif", "a.tif")
    assert len(pair_files(predictions, predictions)[0]) == 2


def test_an_ending_that_no_name_has(tmp_path):
    folder = touch(tmp_path, "a.tif")
    with pytest.raises(InputError, match=r'no name ends in "_masks"; there is a\.tif'):
        pair_files(folder, folder, reference_ending="_masks")
    with pytest.raises(InputError, match='every name ends in "a"'):
        pair_files(folder, folder, prediction_ending="a")


def test_lonely_files_are_named(tmp_path):
    predictions = touch(tmp_path / "p", "a.tif", "x.tif", "x_overlay.png")
    references = touch(tmp_path / "r", "a.tif", "b.tif", "c.tif")
    with pytest.raises(InputError, match=r"no reference for 2 predictions: .*x\.tif.*no prediction for 2 references: "):
        pair_files(predictions, references)
    touch(tmp_path / "r2", "a.tif", "a.png")
    with pytest.raises(InputError, match="one stem"):
        pair_files(predictions, tmp_path / "r2")
    with pytest.raises(InputError, match=r"a\.png and .*a\.tif have one stem"):
        pair_files(tmp_path / "r2", touch(tmp_path / "r4", "a.tif"))
    with pytest.raises(InputError, match="no such file"):
        pair_files(tmp_path / "nowhere", references)


def test_references_say_which_predictions_are_scored(tmp_path):
    predictions = touch(tmp_path / "p", "a_labels.tif", "a_overlay.png", "b_labels.tif", "b_overlay.png")
    (pair,), (notice,) = pair_files(predictions, touch(tmp_path / "r", "a.tif"))
    assert pair.stem == "a"
    assert notice.startswith("no reference for 2 predictions: ")
    assert notice.endswith("they are not scored")


def test_volumes_are_paired_where_they_are_asked_for(tmp_path):
    for name in ("p/a_labels.nii.gz", "r/a.nrrd"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    (pair,), _ = pair_files(tmp_path / "p", tmp_path / "r", volumes=True)
    assert (pair.stem, pair.prediction.name, pair.reference.name) == ("a", "a_labels.nii.gz", "a.nrrd")
    for places in ((tmp_path / "p", tmp_path / "r"), (pair.prediction, pair.reference)):
        with pytest.raises(InputError, match="holds volumes of organs; say which value is which with --organs"):
            pair_files(*places)


def test_raw_images(tmp_path):
    touch(tmp_path, "raw.tif", "a.tif")
    assert match_images(tmp_path / "raw.tif", ["anything"]) == {"anything": tmp_path / "raw.tif"}
    assert match_images(tmp_path, ["a"]) == {"a": tmp_path / "a.tif"}
    with pytest.raises(InputError, match="no image for b"):
        match_images(tmp_path, ["a", "b"])
