import gc
import json
import shutil

import numpy as np
import pytest

from medseg.io import Geometry, read_labels, write_image, write_labels

QUICK = ["--device", "cpu", "--epochs", "1", "--set", "patch_size=204", "--set", "val_interval=1"]


@pytest.fixture
def train(medseg, tiny_bundle, tmp_path):
    """`medseg train` with the tiny bundle into tmp_path/run."""
    return lambda data, *more: medseg("train", tiny_bundle, "--data", data, "-o", tmp_path / "run", *QUICK, *more)


@pytest.fixture
def data(em_folder, tmp_path):
    return shutil.copytree(em_folder, tmp_path / "data")


def test_train_then_predict_with_the_weights(train, medseg, tiny_bundle, em_folder, tmp_path):
    done = train(em_folder)
    assert (done.code, done.err) == (0, "")
    assert f"3 training and 1 validation images from {em_folder}" in done.out
    assert "epoch 1/1: loss " in done.out
    assert "v_info" in done.out
    assert str(tmp_path / "run" / "model.pt") in done.out
    assert (tmp_path / "run" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    predicted = medseg(
        "predict",
        tiny_bundle,
        em_folder / "images" / "s3.tif",
        "-o",
        tmp_path / "out",
        "--weights",
        tmp_path / "run" / "model.pt",
    )
    assert predicted.code == 0
    assert read_labels(tmp_path / "out" / "s3_labels.tif")[0].shape == (100, 110)
    again = train(em_folder)
    assert again.code == 2
    assert "holds a run already; resume it (--resume)" in again.err
    resumed = train(em_folder, "--resume", "-q")
    assert (resumed.code, resumed.out) == (0, "")
    assert "nothing was left to do: the run has had its 1 epochs" in train(em_folder, "--resume").out
    longer = train(em_folder, "--resume", "--epochs", "2")
    assert longer.code == 1
    assert "planned for 1 epochs, not 2" in longer.err


def test_weights_in_the_folder_are_kept_and_refused_before_anything_is_loaded(train, em_folder, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.pt").write_text("precious")
    done = train(em_folder, "--no-check", "--resume", "--set", "no_such_key=1")
    assert done.code == 2
    assert "model.pt: exists already" in done.err
    assert (tmp_path / "run" / "model.pt").read_text() == "precious"


def test_starts_from_the_bundles_weights_unless_from_scratch(train, em_folder, tmp_path):
    losses = []
    for options in ([], ["--from-scratch"], ["--seed", "3"]):
        assert train(em_folder, "-q", *options).code == 0
        losses.append(json.loads((tmp_path / "run" / "history.json").read_text())[0]["loss"])
        shutil.rmtree(tmp_path / "run")
    assert len(set(losses)) == 3


def test_stacks_and_small_images(train, data, tmp_path):
    write_image(data / "images" / "a.tif", np.zeros((3, 20, 30), np.uint8), Geometry("ZYX"))
    write_labels(data / "labels" / "a.tif", np.ones((3, 20, 30), np.uint8))
    write_image(data / "images" / "b.png", np.zeros((1, 1), np.uint8))
    write_labels(data / "labels" / "b.tif", np.ones((1, 1), np.uint8))
    done = train(data, "--no-check")  # the check wants all images of one number of dimensions
    assert done.code == 0
    assert "7 training and 1 validation sections" in done.out


def test_axes_settle_what_the_files_do_not_say(train, data, tmp_path):
    stack = np.random.default_rng(0).integers(0, 255, (3, 40, 50)).astype(np.uint8)
    for folder in ("images", "labels"):
        shutil.rmtree(data / folder)
    write_image(data / "images" / "a.tif", stack, Geometry("IYX"))
    write_labels(data / "labels" / "a.tif", stack // 100)
    refused = train(data, "--no-check")
    assert refused.code == 2
    assert "name them with --axes" in refused.err
    checked = train(data, "--set", "axes=ZYX", "--set", "no_such_key=1")
    assert "no key 'no_such_key'" in checked.err, "the check knows the axes too"
    done = train(data, "--no-check", "--axes", "ZYX")
    assert done.code == 0
    assert "2 training and 1 validation sections" in done.out


def test_the_check_looks_at_the_split_that_is_used(train, data, tmp_path):
    entries = [{"image": f"images/s{k}.tif", "label": f"labels/s{k}.tif"} for k in range(4)]
    (data / "dataset.json").write_text(json.dumps({"training": entries, "validation": []}))
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"training": entries[:2], "validation": entries[3:]}))
    write_labels(data / "labels" / "s2.tif", np.zeros((50, 60), np.uint8), overwrite=True)  # not used
    done = train(data, "--split", split)
    assert (done.code, done.err) == (0, "")
    assert "warning" not in done.out
    assert "2 training and 1 validation images" in done.out
    split.write_text(json.dumps({"training": entries[:2], "validation": entries[:1]}))
    done = train(data, "--set", f"split_file={split}", "--resume")
    assert done.code == 2
    assert "images/s0.tif: is listed for training and validation" in done.err


def colour(data):
    channels = np.arange(3 * 100 * 110, dtype=np.float32).reshape(3, 100, 110)
    write_image(data / "images" / "s1.tif", channels, Geometry("CYX"), overwrite=True)


def not_finite(data):
    write_image(data / "images" / "s1.tif", np.full((100, 110), np.nan, np.float32), overwrite=True)


def other_shape(data):
    write_labels(data / "labels" / "s1.tif", np.zeros((50, 60), np.uint8), overwrite=True)


def float_labels(data):
    write_image(data / "labels" / "s1.tif", np.full((100, 110), 0.5, np.float32), overwrite=True)


def cut_off(data):
    path = data / "images" / "s1.tif"
    path.write_bytes(path.read_bytes()[:2000])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (colour, "s1.tif has 3 channels, this bundle needs gray"),
        (not_finite, "s1.tif: 11000 pixels are NaN or infinite"),
        (other_shape, "s1.tif: has shape (50, 60), its image (100, 110)"),
        (float_labels, "s1.tif: a label image holds integers"),
        (cut_off, "s1.tif: cannot be read as TIFF"),
        (lambda data: (data / "labels" / "s1.tif").unlink(), "no file of the stem 's1' in labels/"),
        (lambda data: shutil.rmtree(data / "labels"), "no such file or folder"),
        (lambda data: (data / "dataset.json").write_text("{}"), "dataset.json: has no list"),
    ],
    ids=lambda value: getattr(value, "__name__", "")[:20],
)
def test_data_that_cannot_be_used_are_refused_at_once(train, data, tmp_path, spoil, message):
    spoil(data)
    checked = train(data)
    assert checked.code == 2
    assert "s1" in checked.err or "labels" in checked.err or "dataset.json" in checked.err
    done = train(data, "--no-check")  # without the check of all files, the first that is read
    assert done.code == 2
    assert len(done.err.splitlines()) == 1
    assert message in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--set", "epoch=3"], "train.json has no key 'epoch' to set"),
        (["--set", "resume=true"], "use --resume for resume"),
        (["--set", "patch_size=205"], "205"),
        (["--init-weights", "gone.pt"], "gone.pt: no such file of weights"),
        (["--init-weights", __file__], "damaged or no file of weights; give the model.pt"),
        (["--split", "gone.json"], "gone.json"),
        (["--device", "tpu"], "give auto, cpu"),
        (["--epochs", "0"], "--epochs"),
    ],
)
def test_wrong_arguments(train, em_folder, arguments, message):
    done = train(em_folder, *arguments)
    assert done.code in (1, 2)
    assert message in done.err
    assert "Traceback" not in done.err


def test_an_unknown_bundle(medseg, em_folder, tmp_path):
    assert medseg("train", "nothing", "--data", em_folder, "-o", tmp_path / "run").code == 2


def test_a_full_disk_is_told(train, em_folder, tmp_path, no_space_left):
    with no_space_left():
        done = train(em_folder)
    gc.collect()  # ended the process in Python 3.12.1
    assert done.code == 1
    assert "File too large" in done.err
    assert not list((tmp_path / "run").glob(".*"))


def test_a_file_where_the_run_should_go_is_told_before_the_data_are_checked(train, em_folder, tmp_path):
    (tmp_path / "run").write_text("in the way")
    done = train(em_folder)
    assert (done.code, done.out) == (2, "")
    assert "run is in the way" in done.err


def test_weights_of_the_encoder_are_not_replaced_by_the_bundles_in_silence(medseg, em_folder, tmp_path):
    settings = ["--data", em_folder, "-o", tmp_path / "run", "--set", "encoder_weights=imagenet"]
    done = medseg("train", "headneck_ct_unet_transfer", *settings)
    assert done.code == 2
    assert "would replace encoder_weights=imagenet; add --from-scratch" in done.err
    assert not (tmp_path / "run").exists()


def test_prediction_and_export_build_the_network_that_was_trained(train, medseg, tiny_bundle, em_folder, tmp_path):
    channels = "network_def::channels=[3,3,3,3,3]"
    assert train(em_folder, "--from-scratch", "--set", channels).code == 0
    weights = ["--weights", tmp_path / "run" / "model.pt"]
    done = medseg("predict", tiny_bundle, em_folder / "images" / "s3.tif", "-o", tmp_path / "out", *weights)
    assert done.code == 0, done.err
    assert "as in training: network_def::channels=[3, 3, 3, 3, 3]" in done.out
    done = medseg("export", tiny_bundle, "-o", tmp_path / "network.ts", *weights)
    assert done.code == 0, done.err
    done = train(em_folder, "--resume", "--from-scratch")
    assert done.code == 0, done.err
    assert "as in training: network_def::channels" in done.out
    assert "channels" in (tmp_path / "run" / "network_settings.json").read_text()
