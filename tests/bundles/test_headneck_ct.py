"""The head and neck bundles with small networks, on synthetic CTs of seven organs: train, predict, evaluate, export."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from bundle_runs import missing_properties, run_bundle
from bundle_weights import ship_weights
from csv_rows import csv_rows
from dicom_series import write_series
from monai.bundle import ConfigParser
from nifti_file import save_nifti

from data_tools.synth.ct_phantom import ct_phantom
from medseg.catalog import Bundle
from medseg.io import read_volume
from medseg.workflow.export import export_bundle

ROOT = Path(__file__).parents[2]
NAMES = ("headneck_ct_unet3d", "headneck_ct_unet_transfer", "headneck_ct_deeplabv3plus")
SMALL = {  # of the keys of network_def
    "headneck_ct_unet3d": {"channels": [4, 8], "norm": None},
    "headneck_ct_unet_transfer": {"decoder_channels": [8, 8, 8, 8, 8]},
    "headneck_ct_deeplabv3plus": {"decoder_channels": [8]},
}
COARSE = {"spacing_mm": [8.0, 8.0, 8.0]}
QUICK = {
    "headneck_ct_unet3d": {"patch_size": [16, 16, 16], "crop_size": [20, 20, 20]},
    "headneck_ct_unet_transfer": {"patch_size": [32, 32], "crop_size": [40, 40, 9], "train::batch_size": 2},
    "headneck_ct_deeplabv3plus": {"patch_size": [32, 32], "crop_size": [40, 40, 9], "train::batch_size": 2},
}


@pytest.fixture(scope="module", params=NAMES)
def small_bundle(request, tmp_path_factory) -> Path:
    """A copy of the bundle with a narrow network of random weights at a coarse voxel size."""
    root = tmp_path_factory.mktemp("bundles") / request.param
    shutil.copytree(ROOT / "bundles" / request.param, root, ignore=shutil.ignore_patterns("models", "docs"))
    for path in (root / "configs").glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "network_def" in content:
            content |= COARSE | ({"tile_shape": [16, 16, 16]} if "tile_shape" in content else {})
            content["network_def"] |= SMALL[request.param]
            path.write_text(json.dumps(content), encoding="utf-8")
    torch.manual_seed(0)
    parser = ConfigParser()
    parser.read_config(root / "configs" / "inference.json")
    parser.read_meta(root / "configs" / "metadata.json")
    ship_weights(root, parser.get_parsed_content("network_def"))
    return root


@pytest.fixture(scope="module")
def ct_folder(tmp_path_factory) -> Path:
    """A training folder of three phantoms; the last one is for validation."""
    folder = tmp_path_factory.mktemp("ct")
    for k in range(3):
        sample = ct_phantom((40, 32, 24), seed=k)
        for part, array in (("images", sample.image), ("labels", sample.labels)):
            save_nifti(folder / part / f"p{k}.nii.gz", array, sample.affine)
    return folder


@pytest.fixture
def volumes(ct_folder, tmp_path) -> Path:
    """The same CT as NIfTI, oblique NIfTI, NRRD and single slice, and a file that is none."""
    folder = tmp_path / "in"
    folder.mkdir()
    source = nib.load(ct_folder / "images" / "p0.nii.gz")
    array = np.asarray(source.dataobj)
    shutil.copy(ct_folder / "images" / "p0.nii.gz", folder / "plain.nii.gz")
    turned = source.affine.copy()
    turned[:3, :3] = np.array([[0.96, 0.28, 0], [-0.28, 0.96, 0], [0, 0, 1]]) @ turned[:3, :3]
    save_nifti(folder / "oblique.nii", array[::-1], turned @ np.diag([-1, 1, 1, 1]))
    save_nifti(folder / "slice.nii.gz", array[:, :, 12:13], source.affine)
    volume = sitk.GetImageFromArray(array.T)
    volume.SetSpacing([float(s) for s in source.header.get_zooms()])
    sitk.WriteImage(volume, str(folder / "nearly.nrrd"))
    (folder / "bad.nii.gz").write_bytes(b"no volume")
    return folder


def test_every_volume_but_the_bad_one_comes_back_on_its_grid(medseg, small_bundle, volumes, tmp_path):
    done = medseg("predict", small_bundle, volumes, "-o", tmp_path / "out", "--device", "cpu")
    assert done.code == 1
    assert "bad.nii.gz: cannot be read as NIfTI" in done.err
    assert done.err.count("error: ") == 1, done.err
    assert not list((tmp_path / "out").glob("bad*"))
    for path in ("plain.nii.gz", "oblique.nii", "slice.nii.gz", "nearly.nrrd"):
        stem = path.partition(".")[0]
        array, space = read_volume(volumes / path)
        labels, where = read_volume(tmp_path / "out" / f"{stem}_labels.nii.gz")
        assert labels.shape == array.shape
        np.testing.assert_allclose(where.affine, space.affine, atol=1e-4)
        assert nib.load(tmp_path / "out" / f"{stem}_labels.nii.gz").get_data_dtype() == np.uint8
        rows = csv_rows(tmp_path / "out" / f"{stem}_structures.csv")
        assert [r["structure"] for r in rows][:3] == ["Brainstem", "SpinalCord", "RightParotid"]
        for row in rows:
            assert int(row["voxels"]) == (labels == int(row["label"])).sum()
        assert (tmp_path / "out" / f"{stem}_preview.png").stat().st_size > 5000
    assert "warning: " in done.err  # random weights find no organ of its usual size


def test_a_dicom_series_gives_the_labels_of_the_same_nifti(medseg, small_bundle, ct_folder, tmp_path):
    source = nib.load(ct_folder / "images" / "p0.nii.gz")
    array = np.round(np.asarray(source.dataobj)).astype(np.int16)
    spacing = [float(s) for s in source.header.get_zooms()]
    write_series(tmp_path / "in" / "p1" / "series", array, spacing=spacing)
    _, space = read_volume(tmp_path / "in" / "p1" / "series")
    save_nifti(tmp_path / "in" / "same.nii.gz", array, space.affine)
    for what in ("p1/series", "same.nii.gz"):
        done = medseg("predict", small_bundle, tmp_path / "in" / what, "-o", tmp_path / "out", "--device", "cpu")
        assert done.code == 0, done.err
    labels, where = read_volume(tmp_path / "out" / "series_labels.nii.gz")
    np.testing.assert_allclose(where.affine, space.affine, atol=1e-4)
    np.testing.assert_array_equal(labels, read_volume(tmp_path / "out" / "same_labels.nii.gz")[0])
    assert labels.any()
    assert (tmp_path / "out" / "series_structures.csv").is_file()
    # a nest with folders of one name, one case bad: the others go on
    write_series(tmp_path / "in" / "p2" / "series", array[:, :, :4], spacing=spacing, places=[0, 1, 2, 5])
    (tmp_path / "in" / "same.nii.gz").unlink()
    done = medseg("predict", small_bundle, tmp_path / "in", "-o", tmp_path / "again", "--device", "cpu")
    assert done.code == 1
    assert "lie between" in done.err
    assert {path.name.partition("_series_")[0] for path in (tmp_path / "again").iterdir()} == {"p1"}


def test_a_volume_without_a_body_is_named(medseg, small_bundle, tmp_path):
    air = nib.Nifti1Image(np.full((20, 20, 10), -1000, np.int16), np.diag([8.0, 8, 8, 1]))
    air.set_sform(None, 0)
    air.set_qform(None, 0)
    nib.save(air, tmp_path / "air.nii.gz")
    done = medseg("predict", small_bundle, tmp_path / "air.nii.gz", "-o", tmp_path / "out", "--device", "cpu")
    assert done.code == 1
    assert "air.nii.gz: no voxel above -300 HU (the highest is -1000): no body in it" in done.err
    assert "left and right are not exchanged" in done.err  # warnings of a file that fails, too


def test_options_of_images_are_refused(medseg, small_bundle, volumes, tmp_path):
    done = medseg("predict", small_bundle, volumes, "-o", tmp_path / "out", "--overlay")
    assert done.code == 2
    assert "cannot do --overlay" in done.err


@pytest.mark.slow
def test_monai_bundle_run_gives_the_labels_of_medseg_predict(medseg, small_bundle, volumes, tmp_path):
    (volumes / "bad.nii.gz").unlink()
    settings = ["--meta_file", small_bundle / "configs/metadata.json", "--device", "cpu"]
    run_bundle(small_bundle, ["inference"], *settings, "--dataset_dir", volumes, "--output_dir", tmp_path / "monai")
    assert medseg("predict", small_bundle, volumes, "-o", tmp_path / "medseg", "--device", "cpu").code == 0
    names = {p.name for p in (tmp_path / "medseg").iterdir() if p.suffix != ".png"}
    assert len(names) == 8
    for name in names:
        assert (tmp_path / "monai" / name).read_bytes() == (tmp_path / "medseg" / name).read_bytes(), name


def settings_of(name: str) -> list[str]:
    values = QUICK[name] | {"crops_per_epoch": 4, "val_interval": 1}
    return [part for key, value in values.items() for part in ("--set", f"{key}={json.dumps(value)}")]


def test_trains_and_goes_on(medseg, small_bundle, ct_folder, tmp_path):
    common = ("train", small_bundle, "--data", ct_folder, "-o", tmp_path / "run", "--device", "cpu", "--no-check")
    settings = settings_of(small_bundle.name)
    done = medseg(*common, "--from-scratch", "--epochs", 2, *settings)
    assert done.code == 0, done.err
    history = json.loads((tmp_path / "run" / "history.json").read_text())
    assert [h["epoch"] for h in history] == [1, 2]
    assert all(np.isfinite(h["loss"]) and 0 <= h["mean_dice"] <= 1 for h in history)
    again = medseg(*common, "--resume", "--epochs", 2, *settings)
    assert again.code == 0, again.err
    out = ("-o", tmp_path / "out", "--weights", tmp_path / "run" / "model.pt", "--device", "cpu")
    assert medseg("predict", small_bundle, ct_folder / "images" / "p2.nii.gz", *out).code == 0


@pytest.mark.parametrize("small_bundle", ["headneck_ct_unet_transfer"], indirect=True)
def test_vgg16_with_batch_norm_by_one_override(medseg, small_bundle, ct_folder, tmp_path):
    settings = settings_of(small_bundle.name)
    settings += ["--set", "network_def::encoder=vgg16_bn"]
    where = ("--data", ct_folder, "-o", tmp_path / "run", "--device", "cpu", "--no-check")
    done = medseg("train", small_bundle, *where, "--from-scratch", "--epochs", 1, *settings)
    assert done.code == 0, done.err
    state = torch.load(tmp_path / "run" / "model.pt", weights_only=True)
    assert state["encoder.features.0.weight"].shape == (64, 7, 3, 3)


@pytest.mark.parametrize("small_bundle", ["headneck_ct_deeplabv3plus"], indirect=True)
def test_starts_from_another_bundles_encoder(medseg, small_bundle, ct_folder, tmp_path):
    where = ("--data", ct_folder, "-o", tmp_path / "run", "--device", "cpu", "--no-check", "--epochs", 1)
    done = medseg("train", small_bundle, *where, "--init-weights", small_bundle, *settings_of(small_bundle.name))
    assert done.code == 0, done.err
    refused = medseg("train", small_bundle, *where, "--init-weights", "no_such_bundle")
    assert refused.code == 2
    assert "no_such_bundle: no such file of weights; 'no_such_bundle' is neither a bundle" in refused.err


@pytest.mark.slow
def test_evaluate_measures_in_millimetres_on_the_grid_of_the_file(small_bundle, ct_folder, tmp_path):
    settings = ["--meta_file", small_bundle / "configs/metadata.json", "--device", "cpu"]
    settings += ["--dataset_dir", ct_folder, "--output_dir", tmp_path]
    run_bundle(small_bundle, ["inference", "evaluate"], *settings)
    content = (tmp_path / "metrics.csv").read_text()
    for metric in ("dice", "surface_dice_2mm", "hd95_mm"):
        assert metric in content
        assert "p2.nii.gz" in (tmp_path / f"{metric}_raw.csv").read_text()
    assert not list(tmp_path.glob("*.nii.gz"))


@pytest.mark.parametrize("name", ["inference", "train"])
def test_no_property_is_missing(small_bundle, ct_folder, tmp_path, name):
    settings = QUICK[small_bundle.name] if name == "train" else {}
    assert not missing_properties(small_bundle, name, ct_folder, tmp_path, **settings)


@pytest.mark.slow
def test_onnx_computes_the_same(small_bundle, tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    done = export_bundle(Bundle(small_bundle), tmp_path / "x.onnx")
    assert done.difference <= 1e-4
