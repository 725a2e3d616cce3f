import numpy as np
import pytest
import tifffile

from medseg.io import Geometry, read_image

STACK = np.random.default_rng(0).integers(0, 120, (3, 5, 7)).astype(np.uint8)


@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_how_imagej_spells_micrometres(tmp_path, unit):
    metadata = {"unit": unit, "spacing": 2.0, "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "x.tif", STACK, imagej=True, resolution=(8, 4), metadata=metadata)
    assert read_image(tmp_path / "x.tif")[1] == Geometry("ZYX", (2.0, 0.25, 0.125), "um")


def test_pages_of_imagej_without_meaning_keep_the_pixel_size(tmp_path):
    pages = np.zeros((12, 5, 6), np.uint8)
    description = "ImageJ=1.53\nimages=12\nunit=um\n"
    tifffile.imwrite(tmp_path / "x.tif", pages, description=description, metadata=None, resolution=(8, 4))
    array, geometry = read_image(tmp_path / "x.tif")
    assert (array.shape, geometry) == ((12, 5, 6), Geometry("IYX", (0.25, 0.125), "um"))


def test_imagej_units_of_single_axes_and_a_distance_downwards(tmp_path):
    says = "ImageJ=1.54f\nimages=3\nslices=3\nunit=mm\nyunit=nm\nzunit=um\nspacing=-2.0\n"
    options = {"photometric": "minisblack", "metadata": None, "resolution": (8, 4)}
    tifffile.imwrite(tmp_path / "x.tif", STACK, description=says, **options)
    found = read_image(tmp_path / "x.tif")[1]
    assert (found.unit, found.spacing) == ("um", pytest.approx((2.0, 0.25e-3, 125.0)))


def test_imagej_leaves_out_a_distance_of_one_between_sections(tmp_path):
    metadata = {"unit": "um", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "x.tif", STACK, imagej=True, resolution=(8, 4), metadata=metadata)
    assert read_image(tmp_path / "x.tif")[1] == Geometry("ZYX", (1.0, 0.25, 0.125), "um")


def test_imagej_pixels_of_several_micrometres(tmp_path):
    options = {"resolution": (1 / 4, 1 / 8), "metadata": {"unit": "um", "axes": "YX"}}  # stored as 1/4 and 1/8
    tifffile.imwrite(tmp_path / "x.tif", STACK[0], imagej=True, **options)
    assert read_image(tmp_path / "x.tif")[1] == Geometry("YX", (8.0, 4.0), "um")
    tifffile.imwrite(tmp_path / "x.tif", STACK[0], imagej=True, **options | {"resolution": (0, 0)})
    assert read_image(tmp_path / "x.tif")[1] == Geometry("YX")  # nothing is infinitely large


def test_a_print_resolution_is_no_pixel_size(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", STACK[0], resolution=(72, 72), resolutionunit="INCH")
    assert read_image(tmp_path / "x.tif")[1] == Geometry("YX")


def test_ome_with_a_unit_per_axis(tmp_path):
    metadata = {"axes": "ZYX", "PhysicalSizeZ": 0.05, "PhysicalSizeZUnit": "µm"}
    metadata |= {f"PhysicalSize{a}{k}": v for a in "YX" for k, v in (("", 4.0), ("Unit", "nm"))}
    tifffile.imwrite(tmp_path / "x.ome.tif", STACK, ome=True, metadata=metadata)
    found = read_image(tmp_path / "x.ome.tif")[1]
    assert (found.unit, found.spacing) == ("um", pytest.approx((0.05, 0.004, 0.004)))


def test_ome_without_unit_is_in_micrometres_and_pixels_are_no_unit(tmp_path):
    size = {f"PhysicalSize{a}": 0.5 for a in "YX"}
    tifffile.imwrite(tmp_path / "a.ome.tif", STACK[0], ome=True, metadata={"axes": "YX", **size})
    assert read_image(tmp_path / "a.ome.tif")[1] == Geometry("YX", (0.5, 0.5), "um")
    size |= {f"PhysicalSize{a}Unit": "pixel" for a in "YX"}
    tifffile.imwrite(tmp_path / "b.ome.tif", STACK[0], ome=True, metadata={"axes": "YX", **size})
    assert read_image(tmp_path / "b.ome.tif")[1] == Geometry("YX")
    size["PhysicalSizeXUnit"] = "µm"
    tifffile.imwrite(tmp_path / "c.ome.tif", STACK[0], ome=True, metadata={"axes": "YX", **size})
    assert read_image(tmp_path / "c.ome.tif")[1] == Geometry("YX")
