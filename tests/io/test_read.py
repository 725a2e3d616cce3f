import numpy as np
import pytest
import tifffile

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels


def tiff(path, array, **options):
    tifffile.imwrite(path, array, **({"photometric": "minisblack", "metadata": None} | options))
    return path


@pytest.mark.parametrize(
    ("shape", "example"),
    [((3, 25, 27), "ZYX or CYX"), ((2, 25, 27), "ZYX or CYX"), ((4, 25, 27), "ZYX or CYX"), ((2, 6, 25, 27), "TZYX")],
)
def test_ambiguous_axes_are_refused_with_what_to_say(tmp_path, shape, example):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.zeros(shape, np.uint8), photometric="minisblack")
    with pytest.raises(InputError) as caught:
        read_image(path)
    for part in (str(path), str(shape), "--axes", example):
        assert part in str(caught.value)


def test_axes_settle_it(tmp_path):
    path = tiff(tmp_path / "x.tif", np.arange(3 * 25 * 27, dtype=np.uint16).reshape(3, 25, 27))
    assert read_image(path, axes="ZYX")[1] == Geometry("ZYX")
    assert read_image(path, axes="cyx")[1] == Geometry("CYX")
    for wrong in ("YX", "TZYX"):
        with pytest.raises(InputError, match=r"x\.tif: axes .* shape \(3, 25, 27\)"):
            read_image(path, axes=wrong)
    with pytest.raises(InputError, match=r"x\.tif of shape \(3, 25, 27\): axes 'QYX' cannot be used"):
        read_image(path, axes="QYX")


def test_a_suffix_in_capitals(tmp_path):
    assert read_image(tiff(tmp_path / "X.TIF", np.zeros((9, 9), np.uint8)))[1] == Geometry("YX")


def test_many_pages_can_only_be_a_stack(tmp_path):
    assert read_image(tiff(tmp_path / "x.tif", np.zeros((5, 9, 9), np.uint8)))[1] == Geometry("IYX")


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_channels_last_are_no_stack_of_rows(tmp_path, channels):
    array = np.arange(25 * 27 * channels, dtype=np.uint16).reshape(25, 27, channels)
    path = tiff(tmp_path / "x.tif", array)
    with pytest.raises(InputError, match=r"x\.tif: pages of 27 x \d pixels .* --axes YXC"):
        read_image(path)
    back, geometry = read_image(path, axes="YXC")
    assert geometry == Geometry("YXC")
    np.testing.assert_array_equal(back, array)


def test_colours_in_several_channels_need_names(tmp_path):
    path = tmp_path / "x.tif"
    options = {"photometric": "rgb", "metadata": {"axes": "CYXS"}}
    tifffile.imwrite(path, np.zeros((2, 6, 8, 3), np.uint8), ome=True, **options)
    with pytest.raises(InputError, match=r"what the axes of its shape \(2, 6, 8, 3\) mean; name them with --axes"):
        read_image(path)
    assert read_image(path, axes="ZYXC")[1] == Geometry("ZYXC")


def test_named_axes_keep_the_pixel_size(tmp_path):
    path = tmp_path / "x.tif"
    says = "ImageJ=1.11a\nimages=6\nunit=um\nspacing=2.0\n"  # of six pages, not whether they are sections or times
    tiff(path, np.zeros((6, 5, 7), np.uint8), resolution=(8, 4), description=says)
    assert read_image(path, axes="ZYX")[1] == Geometry("ZYX", (2.0, 0.25, 0.125), "um")


@pytest.mark.parametrize(
    ("shape", "options", "axes"),
    [
        ((2, 25, 27), {"ome": True, "metadata": {"axes": "CYX"}}, "CYX"),
        ((25, 27), {"ome": True, "metadata": {"axes": "YX"}}, "YX"),
        ((2, 25, 27), {"ome": True, "metadata": {"axes": "TYX"}}, "TYX"),
        ((25, 27), {"imagej": True}, "YX"),
        ((25, 27), {}, "YX"),
        ((25, 27, 3), {"photometric": "rgb"}, "YXC"),
    ],
)
def test_axes_that_the_file_states_count(tmp_path, shape, options, axes):
    assert read_image(tiff(tmp_path / "x.tif", np.zeros(shape, np.uint8), **options), axes="ZYX")[1].axes == axes


@pytest.mark.parametrize("axes", ["TYX", "CYX"])
def test_axes_of_imagej_give_way_to_as_many(tmp_path, axes):
    path = tiff(tmp_path / "x.tif", np.zeros((3, 25, 27), np.uint8), imagej=True, metadata={"axes": axes})
    assert [read_image(path, axes=named)[1].axes for named in (None, "ZYX", "CZYX")] == [axes, "ZYX", axes]


def test_planes_of_colour_of_a_plain_tiff_may_be_sections(tmp_path):
    path = tiff(tmp_path / "x.tif", np.zeros((3, 25, 27), np.uint8), photometric="rgb", planarconfig="separate")
    assert read_image(path)[1].axes == "CYX"
    assert read_image(path, axes="ZYX")[1].axes == "ZYX"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_pixels_are_refused_and_counted(tmp_path, bad):
    array = np.zeros((6, 7), np.float32)
    array[2, 3] = array[0, 0] = bad
    with pytest.raises(InputError, match=r"x\.tif: 2 pixels are NaN or infinite"):
        read_image(tiff(tmp_path / "x.tif", array))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5, 5), np.complex64), "complex64"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*zero-size")
def test_what_is_no_image(tmp_path, array, message):
    with pytest.raises(InputError, match=rf"x\.tif.*{message}"):
        read_image(tiff(tmp_path / "x.tif", array))


def test_one_axis_is_no_image(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.zeros(5, np.uint8))
    with pytest.raises(InputError, match=r"x\.tif of shape \(5,\)"):
        read_image(tmp_path / "x.tif")


@pytest.mark.parametrize("name", ["x.tif", "x.png", "x.jpg"])
@pytest.mark.parametrize("content", [b"", b"\0", b"hello, no image here", b"\0" * 200, b"\x89PNG\r\n\x1a\n", b"II*\0"])
def test_other_contents_under_the_name_of_an_image(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: cannot be read as (TIFF|PNG|JPEG)"):
        read_image(tmp_path / name)


def test_no_file_a_folder_another_format(tmp_path):
    (tmp_path / "folder.tif").mkdir()
    (tmp_path / "x.bmp").write_bytes(b"BM")
    for name, message in (
        ("gone.tif", "no such file"),
        ("folder.tif", "is a folder"),
        ("x.bmp", "not a format .* as OME-TIFF"),
    ):
        with pytest.raises(InputError, match=rf"{name}: {message}"):
            read_image(tmp_path / name)


def test_label_images(tmp_path):
    labels, geometry = read_labels(tiff(tmp_path / "three.tif", np.zeros((3, 9, 9), np.uint8)))
    assert (labels.shape, geometry.axes) == ((3, 9, 9), "IYX")  # a label image has no colours: these are sections
    assert read_labels(tiff(tmp_path / "mask.tif", np.ones((9, 9), bool)))[0].dtype == np.uint8
    whole, _ = read_labels(tiff(tmp_path / "float.tif", np.array([[0, 70000]], np.float32)))  # as of MorphoLibJ
    assert (whole.dtype.kind, whole.tolist()) == ("i", [[0, 70000]])
    signed = np.array([[0, 5]], np.int16)
    np.testing.assert_array_equal(read_labels(tiff(tmp_path / "signed.tif", signed))[0], signed)


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (np.full((9, 9), 0.5, np.float32), {}, "holds integers"),
        (np.full((9, 9), np.nan, np.float32), {}, "holds integers"),
        (np.array([[0, -2]], np.int16), {}, "negative ids"),
        (np.zeros((9, 9, 3), np.uint8), {"photometric": "rgb"}, "no colour channels"),
    ],
)
def test_refuses_what_is_no_label_image(tmp_path, array, options, message):
    with pytest.raises(InputError, match=rf"x\.tif: .*{message}"):
        read_labels(tiff(tmp_path / "x.tif", array, **options))


def test_an_image_whose_zero_is_white_is_refused_and_ids_are_ids(tmp_path):
    path = tiff(tmp_path / "x.tif", np.array([[0, 7], [7, 0]], np.uint8), photometric="miniswhite")
    with pytest.raises(InputError, match=r"x\.tif: its 0 is white"):
        read_image(path)
    assert read_labels(path)[0].tolist() == [[0, 7], [7, 0]]
    mask = tiff(tmp_path / "mask.tif", np.array([[False, True]]), photometric="miniswhite")  # tifffile's own choice
    assert read_image(mask)[0].tolist() == [[False, True]]


def test_a_volume_is_told_from_an_unknown_format(tmp_path):
    (tmp_path / "a_labels.nii.gz").write_bytes(b"x")
    with pytest.raises(InputError, match="a volume; CT bundles segment it, `medseg evaluate --organs` scores it"):
        read_image(tmp_path / "a_labels.nii.gz")


def test_labels_of_unstated_axes_are_told_what_helps(tmp_path):
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.zeros((2, 3, 9, 9), np.uint8), photometric="minisblack")
    with pytest.raises(InputError, match=r"\(2, 3, 9, 9\) mean; save it as OME-TIFF") as error:
        read_labels(path)
    assert "--axes" not in str(error.value)
    with pytest.raises(InputError, match="--axes"):
        read_image(path)


def test_a_palette_gives_colours_to_images_and_none_to_labels(tmp_path):
    ids = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)
    colours = np.zeros((3, 256), np.uint16)
    colours[:, 1], colours[:, 2] = (257 * 200, 0, 257 * 9), (0, 65535, 0)
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, ids, photometric="palette", colormap=colours, metadata=None)
    image, geometry = read_image(path)
    assert (image.shape, image.dtype, geometry.axes) == ((2, 3, 3), np.uint8, "YXC")
    assert image[0].tolist() == [[0, 0, 0], [200, 0, 9], [0, 255, 0]]
    assert read_labels(path)[0].tolist() == ids.tolist()
    tifffile.imwrite(path, np.stack([ids] * 6), photometric="palette", colormap=colours, metadata=None)
    image, geometry = read_image(path)
    assert (image.shape, geometry.axes) == ((6, 2, 3, 3), "IYXC")


def test_the_lookup_table_of_an_imagej_image_is_for_the_screen(tmp_path):
    values = np.array([[0, 100], [200, 255]], np.uint8)
    green = np.zeros((3, 256), np.uint16)
    green[1] = 257 * np.arange(256)
    options = {"photometric": "palette", "colormap": green, "description": "ImageJ=1.54f\nimages=1\n"}
    tifffile.imwrite(tmp_path / "x.tif", values, metadata=None, **options)
    image, geometry = read_image(tmp_path / "x.tif")
    assert (image.tolist(), geometry.axes) == (values.tolist(), "YX")
