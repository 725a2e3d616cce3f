"""Colours say what is wrong, at any size of the picture."""

import base64

import imagecodecs
import numpy as np
import pytest

from medseg.report.pictures import (
    COLOURS,
    data_uri,
    error_picture,
    grey_picture,
    prediction_picture,
    truth_picture,
)
from medseg.report.places import map_errors


@pytest.fixture
def errors():
    reference = np.zeros((40, 62), bool)
    reference[2:38, 2:30] = reference[2:38, 32:60] = True
    prediction = reference.copy()
    prediction[20, 30:32] = True
    return map_errors(prediction, reference, 0)


@pytest.mark.parametrize("step", [1, 2, 5, 7])
def test_an_error_of_one_pixel_is_seen_at_any_size(errors, step):
    picture = error_picture(errors, 0, step)
    place = errors.places[0]
    assert tuple(picture[place.y // step, place.x // step]) == COLOURS["merge"]
    assert picture.shape[:2] == errors.classes[0, ::step, ::step].shape


def test_agreement_is_grey(errors):
    picture = error_picture(errors, 0)
    assert picture[10, 10].tolist() == [235] * 3
    assert picture[10, 31].tolist() == [95] * 3


def test_a_merged_object_has_one_colour_where_the_truth_has_two(errors):
    truth, prediction = truth_picture(errors, 0), prediction_picture(errors, 0)
    assert truth[10, 10].tolist() != truth[10, 50].tolist()
    assert prediction[10, 10].tolist() == prediction[10, 50].tolist()
    assert prediction[0, 0].tolist() == truth[0, 0].tolist()


def test_grey_stretches_any_dtype_and_bears_a_flat_image():
    ramp = np.linspace(-1e4, 1e4, 600).reshape(20, 30)
    assert (grey_picture(ramp).min(), grey_picture(ramp).max()) == (0, 255)
    assert grey_picture(np.full((4, 4), 7, np.uint16)).tolist() == np.zeros((4, 4, 3)).tolist()


def test_pictures_survive_the_page(errors):
    picture = truth_picture(errors, 0)
    head, _, content = data_uri(picture).partition(",")
    assert head == "data:image/png;base64"
    np.testing.assert_array_equal(imagecodecs.png_decode(base64.b64decode(content)), picture)
