"""Every real set at hand converts without a problem; what each says of its sections, groups and pixels is kept."""

import imagecodecs
import numpy as np
import pytest
from drawn_squares import IMAGE, square
from nifti_file import save_nifti

from data_tools.catalogue import SETS
from data_tools.convert.build import build_dataset
from data_tools.convert.sets import CONVERTERS
from data_tools.pixels import read_pixels
from medseg.errors import InputError
from medseg.io import Geometry, write_image, write_labels

FOLDERS = {
    "isbi2012_em": ("isbi2012_em", 1),
    "vnc_sstem": ("vnc_sstem", 1),
    "bbbc039": ("nuclei_bbbc039", 44),
    "usiigaci": ("phc_nih3t3_usiigaci", 23),
    "fib_medulla": ("fib_medulla_tiny", 1),
    "ovules_3d": ("ovules_3d", 4),
    "ct_examples": ("ct_examples", 2),
    "openkbp": ("ct_headneck_openkbp", 34),
    "dsb2018": ("nuclei_dsb2018", 500),
}


def test_every_known_set_has_a_converter():
    assert set(CONVERTERS) == set(SETS)


@pytest.mark.parametrize("name", FOLDERS)
def test_converts(name, data_dir, tmp_path):
    folder, count = FOLDERS[name]
    sources = CONVERTERS[name](data_dir / folder)
    assert len(sources) == count
    conversion = build_dataset(tmp_path / name, sources[:5], SETS[name].description)
    assert conversion.problems == ()
    first = conversion.dataset.training[0]
    image, labels = conversion.dataset.path(first.image), conversion.dataset.path(first.label)
    assert labels.exists()
    np.testing.assert_array_equal(read_pixels(image).array, sources[0].read().image)


def pairs(folder, *stems):
    for stem in stems:
        write_image(folder / f"images/{stem}.tif", IMAGE)
        write_labels(folder / f"labels/{stem}.tif", square(0, 0))
    return folder


@pytest.mark.parametrize(
    ("name", "files", "interior", "spacing"),
    [
        ("isbi2012_em", ("train-volume.tif", "train-labels.tif"), 255, (50, 4, 4)),
        ("vnc_sstem", ("raw.tif", "membranes.tif"), 0, (50, 4.6, 4.6)),
    ],
)
def test_the_last_fifth_of_the_sections_is_for_validation(tmp_path, name, files, interior, spacing):
    marks = np.full((11, 6, 8), 255 - interior, np.uint8)
    marks[:, 1:3, 4:7] = interior
    for file, stack in zip(files, (np.stack([IMAGE] * 11), marks), strict=True):
        write_image(tmp_path / file, stack, Geometry("ZYX"))
    (source,) = CONVERTERS[name](tmp_path)
    assert [(part.subset, part.sections) for part in source.parts] == [("training", (0, 8)), ("validation", (8, 11))]
    sample = source.read()
    assert sample.geometry == Geometry("ZYX", spacing, "nm")
    np.testing.assert_array_equal(sample.labels > 0, marks == interior)


def test_a_volume_of_instances_is_its_image_and_its_ids(tmp_path):
    volume, ids = np.stack([IMAGE, IMAGE + 1]), np.stack([square(0, 0, value=3), square(1, 2, value=7)])
    for name, stack in (("raw.tif", volume), ("labels.tif", ids)):
        write_image(tmp_path / name, stack, Geometry("ZYX"))
    (source,) = CONVERTERS["fib_medulla"](tmp_path)
    sample = source.read()
    np.testing.assert_array_equal(sample.image, volume)
    np.testing.assert_array_equal(sample.labels, ids)
    assert (source.group, sample.geometry) == ("medulla", Geometry("ZYX", (10, 10, 10), "nm"))


def test_groups_are_wells_and_fields_that_overlap(tmp_path):
    wells = CONVERTERS["bbbc039"](pairs(tmp_path / "b", "A02_s1", "A02_s7", "B05_s1", "IXMtest_B05_s2_w1AF"))
    assert [s.group for s in wells] == ["A02", "A02", "B05", "B05"]
    fields = CONVERTERS["usiigaci"](pairs(tmp_path / "u", "set01", "set04", "set23", "set39", "set40"))
    assert [s.group for s in fields] == ["set1", "fields 4, 39", "fields 23, 40", "fields 4, 39", "fields 23, 40"]


def test_ovules_have_the_voxel_size_of_their_row(tmp_path):
    for name in ("a", "b"):
        write_image(tmp_path / f"{name}_raw.tif", np.zeros((3, 6, 8), np.uint8), Geometry("ZYX"))
        write_labels(tmp_path / f"{name}_labels.tif", np.stack([square(0, 0)] * 3), Geometry("ZYX"))
    (tmp_path / "index.csv").write_text("file,voxel_um_zyx\na,0.28x0.13x0.12\nb,\n")
    sources = CONVERTERS["ovules_3d"](tmp_path)
    assert [(s.name, s.group) for s in sources] == [("a", "a"), ("b", "b")]
    assert [s.read().geometry for s in sources] == [Geometry("ZYX", (0.28, 0.13, 0.12), "um"), Geometry("ZYX")]


def test_chest_ct_masks_lie_beside_their_images(tmp_path):
    for name, value in (("IMG_10", 5), ("MASK_10", 1), ("IMG_9", 6), ("MASK_9", 2), ("IMG_alone", 7)):
        save_nifti(tmp_path / f"archive/3d_images/{name}.nii.gz", np.full((2, 3, 4), value, np.int16), np.eye(4))
    sources = CONVERTERS["chest_ct_kaggle"](tmp_path)
    assert [(s.name, s.group) for s in sources] == [("9", "9"), ("10", "10")]
    samples = [s.read() for s in sources]
    assert [(int(s.image.max()), int(s.labels.max())) for s in samples] == [(6, 2), (5, 1)]


def jpeg(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(array), level=98))


def test_chest_ct_slices_are_those_of_the_table(tmp_path):
    with pytest.raises(InputError, match=r"no train\.csv in it or below"):
        CONVERTERS["chest_ct_slices"](tmp_path)
    mask = np.zeros((48, 48, 3), np.uint8)
    for k in range(3):
        mask[16 * k : 16 * k + 16, :, k] = 255
    names = ("P1_10", "P1_9", "P2_1")
    for name in names:
        jpeg(tmp_path / "images" / f"{name}.jpg", np.full((48, 48, 3), (10, 20, 60), np.uint8))
        jpeg(tmp_path / "masks" / f"{name}_m.jpg", mask)
    jpeg(tmp_path / "masks" / "gone_m.jpg", mask)
    jpeg(tmp_path / "images" / "bare.jpg", mask)
    table = tmp_path / "train.csv"
    table.write_text("ImageId,MaskId\n" + "".join(f"{name}.jpg,{name}_m.jpg\n" for name in (*names, "gone", "bare")))
    sources = CONVERTERS["chest_ct_slices"](tmp_path)
    assert [(s.name, s.group) for s in sources] == [("P1_9", "P1"), ("P1_10", "P1"), ("P2_1", "P2")]
    sample = sources[0].read()
    assert sample.labels[[8, 24, 40], 24].tolist() == [1, 2, 3]  # red, green, blue
    assert (sample.image.shape, sample.image.dtype) == ((48, 48), np.uint8)
    assert sample.image.mean() == pytest.approx(30, abs=1.5)
    for spoilt, message in (
        (mask[..., 0], "a mask has three colours"),
        (mask[:40], r"has the size \(48, 48\), its mask"),
    ):
        jpeg(tmp_path / "masks" / "P1_9_m.jpg", spoilt)
        with pytest.raises(InputError, match=message):
            sources[0].read()
    table.write_text("Image,MaskId\n")
    with pytest.raises(InputError, match="needs the columns ImageId and MaskId, has Image, MaskId"):
        CONVERTERS["chest_ct_slices"](tmp_path)


def test_usiigaci_as_it_is_downloaded(tmp_path):
    for folder, value in (("train/set10", 3), ("train/set9", 4), ("test/set5", 5)):
        write_image(tmp_path / folder / "raw.tif", IMAGE + value)
        write_image(tmp_path / folder / "instances_ids.png", square(0, 0, value=value))
    sources = CONVERTERS["usiigaci"](tmp_path)
    assert [s.name for s in sources] == ["set9", "set10"]  # those for training only, where they are apart
    assert [(int(s.read().image[0, 0]), int(s.read().labels.max())) for s in sources] == [(4, 4), (3, 3)]
