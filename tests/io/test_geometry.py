import numpy as np
import pytest

from medseg.errors import InputError
from medseg.io import Geometry, channel_first


@pytest.mark.parametrize("axes", ["", "Y", "ZY", "YYX", "QYX", "yx", "YXS"])
def test_refuses_axes_that_name_no_image(axes):
    with pytest.raises(InputError, match="one letter of TIZYXC"):
        Geometry(axes)


@pytest.mark.parametrize("spacing", [(1.0,), (1.0, 1.0, 1.0), (0.0, 1.0), (-1.0, 1.0), (float("nan"), 1.0)])
def test_refuses_impossible_spacing(spacing):
    with pytest.raises(InputError, match="spacing"):
        Geometry("YXC", spacing, "um")


def test_spacing_in_micrometres():
    assert Geometry("ZYX", (50.0, 4.0, 4.0), "nm").spacing_um == pytest.approx((0.05, 0.004, 0.004))
    assert Geometry("YX", (2.0, 3.0), "um").spacing_um == (2.0, 3.0)
    for unit, micrometres in (("mm", 1e3), ("cm", 1e4), ("m", 1e6)):
        assert Geometry("YX", (2.0, 3.0), unit).spacing_um == pytest.approx((2 * micrometres, 3 * micrometres))
    assert Geometry("YX", (2.0, 3.0)).spacing_um is None  # of what unit?
    assert Geometry("YX").spacing_um is None


def test_the_affine_scales_each_axis_by_its_own_spacing():
    spacing = (0.5, 0.2, 0.1)
    for axes in ("ZYX", "CZYX"):
        np.testing.assert_array_equal(Geometry(axes, spacing, "um").affine(), np.diag([*spacing, 1]))
    for unknown in (Geometry("ZYX"), Geometry("TYX", spacing[1:], "um")):
        np.testing.assert_array_equal(unknown.affine(), np.eye(4))


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry("YX"),
        Geometry("TZCYX", (0.5, 0.2, 0.1), "um"),
        Geometry("IYX", (4.0, 4.0), "nm"),
        Geometry("YX", (1.0, 2.0)),
    ],
)
def test_survives_the_metadata_of_a_tensor(geometry):
    assert Geometry.from_meta(geometry.to_meta()) == geometry


def test_metadata_of_another_reader_is_no_geometry():
    assert Geometry.from_meta({"filename_or_obj": "x.nii.gz", "affine": np.eye(4)}) is None


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        ("YX", "YX"),
        ("YXC", "CYX"),
        ("ZCYX", "CZYX"),
        ("TZCYX", "CTZYX"),
        ("ZYX", "ZYX"),
        ("XYZ", "ZYX"),
        ("IYXC", "CIYX"),
    ],
)
def test_channel_first_moves_axes_with_their_spacing(axes, expected):
    sizes, spacings = dict(zip("TIZYXC", (2, 3, 4, 5, 6, 7), strict=True)), {"Z": 0.5, "Y": 0.2, "X": 0.1}
    array = np.arange(np.prod([sizes[a] for a in axes])).reshape([sizes[a] for a in axes])
    before = Geometry(axes, tuple(spacings[a] for a in axes if a in spacings), "um")
    moved, after = channel_first(array, before)
    assert after == Geometry(expected, tuple(spacings[a] for a in expected if a in spacings), "um")
    np.testing.assert_array_equal(moved, np.einsum(f"{axes}->{expected}", array))
    assert after.without_channel().axes == expected.replace("C", "")
