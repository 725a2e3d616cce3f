import uuid

import numpy as np
import pytest
import tifffile

from medseg.errors import InputError
from medseg.io import Geometry, read_image, write_image

DTYPES = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"]
SIZES = {"T": 2, "Z": 3, "C": 2, "Y": 5, "X": 7, "I": 6}
SPACING = {"Z": 0.5, "Y": 0.25, "X": 0.125}


def sample(axes: str, dtype: str = "uint8") -> np.ndarray:
    values = np.random.default_rng(0).random([SIZES[a] for a in axes]) * 120
    return (values > 60) if dtype == "bool" else values.astype(dtype)


def spacing_of(axes: str) -> tuple[float, ...]:
    return tuple(SPACING[a] for a in axes if a in SPACING)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axes", ["YX", "ZYX", "TYX", "CYX", "ZCYX", "TCYX", "TZYX", "TZCYX"])
def test_round_trip_keeps_dtype_axes_spacing_and_unit(tmp_path, axes, dtype):
    array, geometry = sample(axes, dtype), Geometry(axes, spacing_of(axes), "um")
    write_image(tmp_path / "x.tif", array, geometry)
    back, found = read_image(tmp_path / "x.tif")
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)
    assert (found.axes, found.unit) == (axes, "um")
    assert found.spacing == pytest.approx(geometry.spacing, rel=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])  # as ImageJ hyperstack, as OME-TIFF
@pytest.mark.parametrize(("axes", "stored"), [("YXC", "CYX"), ("CZYX", "ZCYX"), ("XY", "YX"), ("CTYX", "TCYX")])
def test_other_orders_are_stored_in_the_formats_order(tmp_path, axes, stored, dtype):
    array = sample(axes, dtype)
    write_image(tmp_path / "x.tif", array, Geometry(axes, spacing_of(axes), "um"))
    back, found = read_image(tmp_path / "x.tif")
    assert (found.axes, found.spacing) == (stored, pytest.approx(spacing_of(stored)))
    np.testing.assert_array_equal(back, np.einsum(f"{axes}->{stored}", array))


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
@pytest.mark.parametrize("axes", ["ZYX", "TYX", "CYX", "TZYX"])
def test_axes_are_kept_without_a_pixel_size(tmp_path, axes, dtype):
    write_image(tmp_path / "x.tif", sample(axes, dtype), Geometry(axes))
    back, found = read_image(tmp_path / "x.tif")
    assert found == Geometry(axes)
    np.testing.assert_array_equal(back, sample(axes, dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
@pytest.mark.parametrize("unit", ["nm", "um", "mm", "cm", "m"])
def test_units(tmp_path, unit, dtype):
    write_image(tmp_path / "x.tif", sample("ZYX", dtype), Geometry("ZYX", (50.0, 3.7, 4.1), unit))
    _, found = read_image(tmp_path / "x.tif")
    assert found.unit == unit
    assert found.spacing == pytest.approx((50.0, 3.7, 4.1), rel=1e-6)


def test_pages_of_unstated_meaning_stay_so(tmp_path):
    write_image(tmp_path / "x.tif", sample("IYX"), Geometry("IYX"))
    back, found = read_image(tmp_path / "x.tif")
    assert found == Geometry("IYX")
    np.testing.assert_array_equal(back, sample("IYX"))


def test_no_depth_is_invented_for_pages(tmp_path):
    write_image(tmp_path / "x.tif", sample("IYX"), Geometry("IYX", (0.25, 0.125), "um"))
    assert read_image(tmp_path / "x.tif")[1] == Geometry("TYX", (0.25, 0.125), "um")


def test_one_pixel(tmp_path):
    write_image(tmp_path / "x.tif", np.array([[7]], np.uint16))
    back, found = read_image(tmp_path / "x.tif")
    assert (back.tolist(), found.axes) == ([[7]], "YX")


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize(
    "layout", [{}, {"tile": (16, 16)}, {"rowsperstrip": 3}, {"byteorder": ">"}, {"bigtiff": True}], ids=str
)
def test_reads_each_layout_and_compression(tmp_path, compression, layout):
    array = np.random.default_rng(1).integers(0, 2**16, (40, 50)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "x.tif", array, compression=compression, **layout)
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif")[0], array)


@pytest.mark.parametrize(
    ("shape", "options", "axes"),
    [
        ((25, 27, 3), {"photometric": "rgb"}, "YXC"),
        ((3, 25, 27), {"photometric": "rgb", "planarconfig": "separate"}, "CYX"),
        ((25, 27, 4), {"photometric": "rgb", "extrasamples": ["unspecified"]}, "YXC"),
        ((6, 25, 27, 3), {"photometric": "rgb"}, "IYXC"),
        ((3, 25, 27, 3), {"photometric": "rgb"}, "IYXC"),  # few, but of colours: they cannot be channels
        ((6, 25, 27), {"photometric": "minisblack"}, "IYX"),
        ((6, 1, 25, 27), {"photometric": "minisblack", "metadata": {"axes": "ZCYX"}, "ome": True}, "ZYX"),
    ],
)
def test_axes_that_the_file_states(tmp_path, shape, options, axes):
    array = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    tifffile.imwrite(tmp_path / "x.tif", array, **options)
    back, found = read_image(tmp_path / "x.tif")
    assert found.axes == axes
    np.testing.assert_array_equal(back, array.reshape(back.shape))


@pytest.mark.parametrize(
    ("shape", "photometric", "alpha"), [((6, 5, 4), "rgb", "unassalpha"), ((6, 5, 2), "minisblack", "assocalpha")]
)
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_transparency_is_dropped(tmp_path, shape, photometric, alpha, planar):
    array = np.random.default_rng(1).integers(0, 255, shape).astype(np.uint8)
    axis = -1 if planar == "contig" else 0
    options = {"photometric": photometric, "planarconfig": planar, "extrasamples": [alpha]}
    tifffile.imwrite(tmp_path / "x.tif", np.moveaxis(array, -1, axis), **options)
    seen = np.moveaxis(array[..., :-1], -1, axis).squeeze()
    np.testing.assert_array_equal(read_image(tmp_path / "x.tif")[0], seen)


def test_a_pyramid_is_read_at_full_resolution(tmp_path):
    full = np.random.default_rng(1).integers(0, 255, (64, 64)).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "x.ome.tif", ome=True) as file:
        file.write(full, subifds=1, tile=(16, 16))
        file.write(full[::2, ::2], subfiletype=1, tile=(16, 16))
    np.testing.assert_array_equal(read_image(tmp_path / "x.ome.tif")[0], full)


def test_refuses_several_images_in_one_file(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as file:
        file.write(np.zeros((5, 5), np.uint8))
        file.write(np.zeros((6, 5), np.uint8))
    with pytest.raises(InputError, match=r"x\.tif: holds 2 images"):
        read_image(tmp_path / "x.tif")


def test_refuses_an_ome_set_of_files_with_one_missing(tmp_path):
    tifffile.imwrite(tmp_path / "x.ome.tif", sample("ZYX"), ome=True, metadata={"axes": "ZYX"})
    xml = tifffile.tiffcomment(tmp_path / "x.ome.tif")
    uuid = '<UUID FileName="gone.ome.tif">urn:uuid:12345678-1234-1234-1234-123456789abc</UUID>'
    planes = "".join(f'<TiffData IFD="0" FirstZ="{z}" PlaneCount="1">{uuid}</TiffData>' for z in (1, 2))
    start, stop = xml.index("<TiffData"), xml.rindex("</Pixels>")
    first = '<TiffData IFD="0" FirstZ="0" PlaneCount="1"/>'
    tifffile.tiffcomment(tmp_path / "x.ome.tif", (xml[:start] + first + planes + xml[stop:]).encode())
    with pytest.raises(InputError, match="gone"):
        read_image(tmp_path / "x.ome.tif")


@pytest.mark.parametrize("planes", ["", '<TiffData IFD="1" FirstZ="2" PlaneCount="1"/>'])
def test_refuses_ome_with_fewer_planes_than_it_states(tmp_path, planes):
    tifffile.imwrite(tmp_path / "x.ome.tif", sample("ZYX"), ome=True, metadata={"axes": "ZYX"})
    xml = tifffile.tiffcomment(tmp_path / "x.ome.tif")
    start, stop = xml.index("<TiffData"), xml.rindex("</Pixels>")
    first = '<TiffData IFD="0" FirstZ="0" PlaneCount="1"/>'
    tifffile.tiffcomment(tmp_path / "x.ome.tif", (xml[:start] + first + planes + xml[stop:]).encode())
    with pytest.raises(InputError, match=r"x\.ome\.tif: [12] of the 3 planes"):
        read_image(tmp_path / "x.ome.tif")


def test_an_ome_set_of_files_is_one_image(tmp_path):
    array = sample("CYX")
    for c, plane in enumerate(array):
        tifffile.imwrite(tmp_path / f"c{c}.ome.tif", plane, ome=True, metadata={"axes": "YX"})
    xml = tifffile.tiffcomment(tmp_path / "c0.ome.tif").replace('SizeC="1"', 'SizeC="2"')
    start, stop = xml.index("<TiffData"), xml.rindex("</Pixels>")
    uuids = [xml.split('UUID="')[1].split('"')[0], f"urn:uuid:{uuid.uuid4()}"]
    planes = "".join(
        f'<TiffData IFD="0" FirstC="{c}" PlaneCount="1"><UUID FileName="c{c}.ome.tif">{uuids[c]}</UUID></TiffData>'
        for c in (0, 1)
    )
    for c in (0, 1):
        text = (xml[:start] + planes + xml[stop:]).replace(f'UUID="{uuids[0]}"', f'UUID="{uuids[c]}"')
        tifffile.tiffcomment(tmp_path / f"c{c}.ome.tif", text.encode())
    back, found = read_image(tmp_path / "c0.ome.tif")
    assert found.axes == "CYX"
    np.testing.assert_array_equal(back, array)
    with pytest.raises(InputError, match=r"c1\.ome\.tif: belongs to .* that c0\.ome\.tif opens"):
        read_image(tmp_path / "c1.ome.tif")


LAYOUTS = {
    "pages": {"metadata": None},
    "pages of zlib": {"metadata": None, "compression": "zlib"},
    "big-endian BigTIFF": {"metadata": None, "bigtiff": True, "byteorder": ">"},
    "ImageJ": {"imagej": True, "metadata": {"axes": "ZYX"}},
    "ImageJ, zlib": {"imagej": True, "metadata": {"axes": "ZYX"}, "compression": "zlib"},
    "OME": {"ome": True, "metadata": {"axes": "ZYX"}},
    "tiles": {"tile": (16, 16), "metadata": None},
    "LZW with predictor": {"compression": "lzw", "predictor": True, "metadata": None},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_cut_off_anywhere_is_an_error_or_no_loss(tmp_path, layout):
    stack = np.random.default_rng(2).integers(0, 4, (6, 24, 32)).astype(np.uint8)
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    tifffile.imwrite(whole, stack, photometric="minisblack", **LAYOUTS[layout])
    content = whole.read_bytes()
    np.testing.assert_array_equal(read_image(whole)[0], stack)
    length = len(content)
    for end in {*range(0, length, 61), *range(max(0, length - 290), length), *range(16)}:
        cut.write_bytes(content[:end])
        try:
            found = read_image(cut)[0]
        except InputError:
            continue
        np.testing.assert_array_equal(found, stack, err_msg=f"silent loss, cut at {end} of {length}")
