import subprocess
import sys
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from monai.data import DataLoader, Dataset, decollate_batch
from monai.transforms import Compose, EnsureChannelFirstd, LoadImage, LoadImaged, SaveImage, SaveImaged

from medseg.errors import InputError
from medseg.io import Geometry, read_image, read_labels, write_image
from medseg.io.monai_io import MicroscopyReader, register
from medseg.io.save import geometry_of

register()
ROOT = Path(__file__).parents[2]
SPACING = {"Z": 0.5, "Y": 0.25, "X": 0.125}


def geometry(axes: str) -> Geometry:
    return Geometry(axes, tuple(SPACING[a] for a in axes if a in SPACING), "um")


def saver(folder, **options) -> SaveImage:
    return SaveImage(folder, output_postfix="out", output_ext=".tif", separate_folder=False, print_log=False, **options)


@pytest.mark.parametrize(
    ("axes", "shape", "loaded"),
    [
        ("YX", (5, 7), (1, 5, 7)),
        ("ZYX", (3, 5, 7), (1, 3, 5, 7)),
        ("TZYX", (2, 3, 5, 7), (1, 2, 3, 5, 7)),
        ("CYX", (2, 5, 7), (2, 5, 7)),
        ("ZCYX", (3, 2, 5, 7), (2, 3, 5, 7)),
    ],
)
def test_plain_load_and_save_keep_the_whole_stack(tmp_path, axes, shape, loaded):
    array = np.random.default_rng(0).integers(1, 200, shape).astype(np.float32)
    write_image(tmp_path / "x.tif", array, geometry(axes))
    image = LoadImage(ensure_channel_first=True)(tmp_path / "x.tif")
    assert tuple(image.shape) == loaded
    saver(tmp_path)(image)
    back, found = read_image(tmp_path / "x_out.tif")
    assert (found.axes, found.unit, found.spacing) == (axes, "um", pytest.approx(geometry(axes).spacing))
    np.testing.assert_array_equal(back, array)


def test_integers_are_saved_as_labels_and_never_clipped(tmp_path):
    write_image(tmp_path / "x.tif", np.zeros((3, 5, 7), np.uint8), geometry("ZYX"))
    image = LoadImage(ensure_channel_first=True)(tmp_path / "x.tif")
    labels = image.long()
    labels[0, 1, 2, 3] = 70000
    saver(tmp_path)(labels)
    back, found = read_labels(tmp_path / "x_out.tif")
    assert (back.dtype, back.max(), back[1, 2, 3], found.axes) == (np.uint32, 70000, 70000, "ZYX")


def test_classes_of_a_stack_become_channels(tmp_path):
    write_image(tmp_path / "x.tif", np.zeros((3, 5, 7), np.uint8), geometry("ZYX"))
    image = LoadImage(ensure_channel_first=True)(tmp_path / "x.tif")
    saver(tmp_path)(image.repeat(2, 1, 1, 1))
    back, found = read_image(tmp_path / "x_out.tif")
    assert (back.shape, found.axes) == ((3, 2, 5, 7), "ZCYX")
    assert found.spacing == pytest.approx((0.5, 0.25, 0.125))


@pytest.mark.parametrize("unit", ["um", None])
def test_geometry_survives_a_data_loader(tmp_path, unit):
    its = geometry("ZYX") if unit else Geometry("ZYX")
    write_image(tmp_path / "x.tif", np.zeros((3, 5, 7), np.uint8), its)
    load = Compose([LoadImaged("image", reader="medseg.io.monai_io.MicroscopyReader"), EnsureChannelFirstd("image")])
    (batch,) = DataLoader(Dataset([{"image": str(tmp_path / "x.tif")}], load), batch_size=1)
    (item,) = decollate_batch(batch)
    assert geometry_of(item["image"]) == its
    saved = SaveImaged(
        "image", output_dir=tmp_path, output_postfix="out", output_ext=".tif", separate_folder=False, print_log=False
    )(item)
    assert tuple(saved["image"].shape) == (1, 3, 5, 7)
    assert read_image(tmp_path / "x_out.tif")[1] == its


@pytest.mark.parametrize("reader", [None, "medseg.io.monai_io.MicroscopyReader", "MicroscopyReader", MicroscopyReader])
def test_a_refused_file_is_not_given_to_other_readers(tmp_path, reader):
    """One of them would return the first page of this stack."""
    tifffile.imwrite(tmp_path / "x.tif", np.zeros((3, 25, 27), np.uint8), photometric="minisblack", metadata=None)
    with pytest.raises(InputError, match="--axes"):
        LoadImage(reader=reader)(tmp_path / "x.tif")
    assert LoadImage(reader=MicroscopyReader(axes="ZYX"))(tmp_path / "x.tif").shape == (3, 25, 27)


def test_monais_other_writers_stay():
    code = (
        "import medseg.io.monai_io; from monai.data.image_writer import resolve_writer as r;"
        "print(r('nii.gz')[0].__name__, r('tif')[0].__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.split() == ["NibabelWriter", "MicroscopyWriter"], done.stderr


def test_files_stack_as_channels(tmp_path):
    for k in range(2):
        write_image(tmp_path / f"{k}.tif", np.full((5, 7), k, np.uint8), geometry("YX"))
    write_image(tmp_path / "other.tif", np.zeros((6, 7), np.uint8))
    image = LoadImage(reader=MicroscopyReader())([tmp_path / "0.tif", tmp_path / "1.tif"])
    assert image.shape == (2, 5, 7)
    assert image[1].unique().tolist() == [1]
    with pytest.raises(InputError, match=r"other\.tif: .* does not stack"):
        LoadImage(reader=MicroscopyReader())([tmp_path / "0.tif", tmp_path / "other.tif"])


def test_monais_own_png_path_is_left_alone(tmp_path):
    pytest.importorskip("PIL", reason="MONAI reads and writes PNG by Pillow")
    array = np.random.default_rng(0).integers(0, 255, (5, 7)).astype(np.uint8)
    (tmp_path / "x.png").write_bytes(imagecodecs.png_encode(array))
    image = LoadImage(ensure_channel_first=True)(tmp_path / "x.png")
    SaveImage(tmp_path, "out", ".png", np.uint8, separate_folder=False, print_log=False)(image)
    np.testing.assert_array_equal(read_image(tmp_path / "x_out.png")[0], array)
    assert LoadImage(reader=MicroscopyReader())(tmp_path / "x.png").shape == (5, 7)
