import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from monai.bundle import ConfigWorkflow

from medseg.io import Geometry, read_image, read_labels, write_image

ROOT = Path(__file__).parents[2]


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
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", tiny_bundle / "configs" / "inference.json"]
    command += ["--bundle_root", tiny_bundle, "--dataset_dir", images, "--output_dir", tmp_path / "monai"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert medseg("predict", tiny_bundle, images, "-o", tmp_path / "medseg").code == 0
    for stem in ("flat", "stack", "pixel"):
        for name in (f"{stem}_labels.tif", f"{stem}_objects.csv"):
            assert (tmp_path / "monai" / name).read_bytes() == (tmp_path / "medseg" / name).read_bytes()
    labels, geometry = read_labels(tmp_path / "monai" / "stack_labels.tif")
    assert labels.max() > 3
    assert (labels.shape, geometry.axes, geometry.unit) == ((2, 100, 110), "ZYX", "nm")


@pytest.mark.parametrize(("name", "kind"), [("inference", "infer"), ("train", "train")])
def test_no_property_is_missing(tiny_bundle, em_folder, tmp_path, name, kind):
    workflow = ConfigWorkflow(
        config_file=str(tiny_bundle / "configs" / f"{name}.json"),
        meta_file=str(tiny_bundle / "configs" / "metadata.json"),
        logging_file=False,
        workflow_type=kind,
        bundle_root=str(tiny_bundle),
        dataset_dir=str(em_folder / "images" if kind == "infer" else em_folder),
        output_dir=str(tmp_path),
        device="cpu",
    )
    workflow.initialize()
    assert not workflow.check_properties()


@pytest.mark.slow
def test_evaluate_scores_the_validation_sections(tiny_bundle, em_folder, tmp_path):
    configs = tiny_bundle / "configs"
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file"]
    command += [f"['{configs / 'train.json'}','{configs / 'evaluate.json'}']", "--bundle_root", tiny_bundle]
    command += ["--dataset_dir", em_folder, "--output_dir", tmp_path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    content = (tmp_path / "metrics.csv").read_text()
    for metric in ("v_rand", "warping_error", "pixel_error", "interior_iou"):
        assert metric in content
