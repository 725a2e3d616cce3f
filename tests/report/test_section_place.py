import pytest

from medseg.report.section_place import time_and_plane


@pytest.mark.parametrize(
    ("section", "axes", "shape", "place"),
    [
        (0, "YX", (9, 9), (None, 0)),
        (4, "ZYX", (5, 9, 9), (None, 4)),
        (4, "TYX", (5, 9, 9), (4, 0)),
        (8, "TZYX", (3, 4, 9, 9), (2, 0)),
        (11, "TZYX", (3, 4, 9, 9), (2, 3)),
        (7, "ZTYX", (3, 4, 9, 9), (3, 1)),
    ],
)
def test_time_and_plane(section, axes, shape, place):
    assert time_and_plane(section, axes, shape) == place
