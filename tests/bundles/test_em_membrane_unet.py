from pathlib import Path

import numpy as np
import pytest
from bundle_runs import missing_properties, run_bundle

from medseg.io import Geometry, read_image, read_labels, write_image


@pytest.fixture(scope="module")
def images(em_folder, tmp_path_factory) -> Path:
    """A section, a stack, and one pixel."""
    folder = tmp_path_factory.mktemp("images")
    sections = [read_image(em_folder / "images" / f"s{k}.tif")[0] for k in range(3)]
    write_image(folder / "flat.tif", sections[0], Geometry("YX", (4.0, 4.0), "nm"))
    write_image(folder / "stack.ome.tif", np.stack(sections[1:]), Geometry("ZYX", (50.0, 4.0, 4.0), "nm"))
    write_image(folder / "pixel.png", np.array([[200]], np.uint8))
    return folder


def test_monai_bundle_run_gives_the_labels_of_medseg_predict(medseg, tiny_bundle, images, tmp_path):
    run_bundle(tiny_bundle, ["inference"], "--dataset_dir", images, "--output_dir", tmp_path / "monai")
    assert medseg("predict", tiny_bundle, images, "-o", tmp_path / "medseg").code == 0
    for stem in ("flat", "stack", "pixel"):
        for name in (f"{stem}_labels.tif", f"{stem}_objects.csv"):
            assert (tmp_path / "monai" / name).read_bytes() == (tmp_path / "medseg" / name).read_bytes()
    labels, geometry = read_labels(tmp_path / "monai" / "stack_labels.tif")
    assert labels.max() > 3
    assert (labels.shape, geometry.axes, geometry.unit) == ((2, 100, 110), "ZYX", "nm")


def test_gamma_darkens_a_section_that_is_too_light(medseg, tiny_bundle, images, tmp_path):
    section, geometry = read_image(images / "flat.tif")
    low, high = np.percentile(section, (1, 99))
    scaled = ((section - low) / (high - low)).clip(0, 1).astype(np.float32)
    for name, image in {"plain": scaled, "light": scaled**0.5}.items():
        write_image(tmp_path / f"{name}.tif", image, geometry)
    probabilities = {}
    for name, settings in {"plain": (), "light": (), "darkened": ("--set", "gamma=2")}.items():
        image, out = tmp_path / f"{name.replace('darkened', 'light')}.tif", tmp_path / name
        assert medseg("predict", tiny_bundle, image, "-o", out, "--probabilities", *settings).code == 0
        probabilities[name] = read_image(next(out.glob("*_probability.tif")))[0]
    np.testing.assert_allclose(probabilities["darkened"], probabilities["plain"], atol=0.02)
    assert np.abs(probabilities["light"] - probabilities["plain"]).max() > 0.1
    for value in ("0", "-1"):
        refused = medseg(
            "predict", tiny_bundle, tmp_path / "light.tif", "-o", tmp_path / "no", "--set", f"gamma={value}"
        )
        assert refused.code == 2
        assert f"gamma={value}; give a number above 0" in refused.err


@pytest.mark.parametrize("name", ["inference", "train"])
def test_no_property_is_missing(tiny_bundle, em_folder, tmp_path, name):
    assert not missing_properties(tiny_bundle, name, em_folder, tmp_path)


@pytest.mark.slow
def test_evaluate_scores_the_validation_sections(tiny_bundle, em_folder, tmp_path):
    run_bundle(tiny_bundle, ["train", "evaluate"], "--dataset_dir", em_folder, "--output_dir", tmp_path)
    content = (tmp_path / "metrics.csv").read_text()
    for metric in ("v_rand", "warping_error", "pixel_error", "interior_iou"):
        assert metric in content
