"""Pictures for the report: grey images, coloured segments, error maps, as PNG inside the page."""

from __future__ import annotations

import base64

import imagecodecs
import numpy as np
from scipy.ndimage import binary_dilation

from medseg.kernels.mismatches import CLASSES
from medseg.report.places import ErrorMap

# Okabe & Ito's colours, which people with any colour vision tell apart.
COLOURS = {
    "merge": (213, 94, 0),
    "split": (0, 114, 178),
    "object_deletion": (204, 121, 167),
    "object_addition": (0, 158, 115),
    "hole_addition": (230, 159, 0),
    "hole_deletion": (86, 180, 233),
}
"""Red, green, blue of each class of mismatch."""

_SEGMENT_COLOURS = np.array(
    [
        (141, 211, 199), (255, 237, 111), (190, 186, 218), (251, 128, 114), (128, 177, 211), (253, 180, 98),
        (179, 222, 105), (252, 205, 229), (188, 189, 220), (204, 235, 197), (166, 206, 227), (254, 217, 166),
    ],
    np.uint8,
)  # fmt: skip
_BACKGROUND = 45
_INVENTED = 250  # covers nothing of the reference
_RING = 9  # pixels, around a small error, which would be overlooked
_RINGS = 25  # around the errors of largest area; more would hide the picture


def grey_picture(image: np.ndarray) -> np.ndarray:
    """A section `(Y, X)` of any dtype as RGB, its 1st to 99th percentile stretched over all greys."""
    low, high = np.percentile(image, (1, 99))
    grey = np.clip((image.astype(np.float64) - low) / max(high - low, 1e-12), 0, 1)
    return np.repeat((grey * 255).astype(np.uint8)[..., None], 3, axis=-1)


def truth_picture(errors: ErrorMap, section: int, step: int = 1) -> np.ndarray:
    """The reference's segments as RGB."""
    return _coloured(errors.reference[section, ::step, ::step])


def prediction_picture(errors: ErrorMap, section: int, step: int = 1) -> np.ndarray:
    """The predicted segments as RGB, each in the colour of the reference's segment that it mostly covers.

    A merged segment thus shows one colour where the truth has two, and the parts of a split one share theirs.
    """
    ids = errors.prediction[section, ::step, ::step]
    picture = _coloured(errors.counterparts[section][ids])
    picture[(ids > 0) & (errors.counterparts[section][ids] == 0)] = _INVENTED
    return picture


def _coloured(ids: np.ndarray) -> np.ndarray:
    picture = _SEGMENT_COLOURS[(ids * 7919) % len(_SEGMENT_COLOURS)]
    picture[ids == 0] = _BACKGROUND
    return picture


def error_picture(errors: ErrorMap, section: int, step: int = 1) -> np.ndarray:
    """Where both agree light and dark, where only a border lies elsewhere in between, errors in colour and ringed.

    Args:
        errors: all errors of the image.
        section: which of its sections.
        step: every how many pixels one is drawn; no error is lost by it.
    """
    truth, predicted = (ids[section, ::step, ::step] > 0 for ids in (errors.reference, errors.prediction))
    grey = np.select([truth & predicted, truth, predicted], [235, 195, 150], 95).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=-1)
    for code, name in enumerate(CLASSES, start=1):
        marked = np.zeros(truth.shape, bool)
        y, x = np.nonzero(errors.classes[section] == code)
        marked[y // step, x // step] = True
        picture[binary_dilation(marked, np.ones((3, 3)))] = COLOURS[name]
    for place in errors.places_in(section)[:_RINGS]:
        ring(picture, place.y // step, place.x // step, COLOURS[place.kind])
    return picture


def data_uri(picture: np.ndarray) -> str:
    """An RGB picture as the address of a PNG that is its own content."""
    png = imagecodecs.png_encode(np.ascontiguousarray(picture), level=9)
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def ring(picture: np.ndarray, y: int, x: int, colour: tuple[int, int, int]) -> None:
    """Draw a ring around a pixel of an RGB picture."""
    reach = _RING + 1
    top, left = max(y - reach, 0), max(x - reach, 0)
    window = picture[top : y + reach + 1, left : x + reach + 1]
    rows, columns = np.ogrid[top : top + window.shape[0], left : left + window.shape[1]]
    distance = np.hypot(rows - y, columns - x)
    window[np.abs(distance - _RING) < 0.9] = colour
