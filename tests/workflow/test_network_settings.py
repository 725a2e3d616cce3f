import json

import pytest

from medseg.catalog import find_bundle
from medseg.errors import InputError
from medseg.workflow.network_settings import FILE, with_network_settings, write_network_settings

BUNDLE = find_bundle("headneck_ct_unet_transfer")


def test_what_prediction_shares_with_training_comes_back(tmp_path):
    shared = {
        "network_def::out_channels": 3,
        "network_def#encoder": "vgg16",
        "side_pairs": [],
        "structures": {"1": "liver"},
        "spacing_mm": [2, 2, 2],
    }
    of_training = {"epochs": 2, "seed": 0, "train::batch_size": 3, "class_ratios": [1, 1, 1], "device": object()}
    settings = shared | of_training
    write_network_settings(tmp_path, BUNDLE, settings)
    overrides, notes = with_network_settings(tmp_path / "model.pt", {"device": "cpu"})
    assert overrides == shared | {"device": "cpu"}
    assert notes[0] == "as in training: network_def::out_channels=3"
    assert len(notes) == len(shared)


def test_what_is_given_anew_counts(tmp_path):
    write_network_settings(tmp_path, BUNDLE, {"network_def::encoder": "vgg16", "network_def::out_channels": 3})
    given = {"network_def#out_channels": 4}
    overrides, notes = with_network_settings(tmp_path / "model.pt", given)
    assert overrides == {"network_def::encoder": "vgg16", "network_def#out_channels": 4}
    assert len(notes) == 1
    assert with_network_settings(tmp_path / "model.pt", {"network_def": {}}) == ({"network_def": {}}, [])


def test_without_such_settings_there_is_no_file(tmp_path):
    write_network_settings(tmp_path, BUNDLE, {"network_def::encoder": "vgg16"})
    write_network_settings(tmp_path, BUNDLE, {"epochs": 2})
    assert not list(tmp_path.iterdir())
    assert with_network_settings(tmp_path / "model.pt", {"tta": True}) == ({"tta": True}, [])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spacing_mm", "$print('run') or [2, 2, 2]"),
        ("window", [0, "$exit()"]),
        ("network_def::encoder", "%other.json::encoder"),
        ("network_def::_target_", "subprocess.run"),
        ("network_def", {"norm": {"_target_": "subprocess.run", "args": ["true"]}}),
    ],
)
def test_code_is_not_run_from_beside_weights(tmp_path, key, value):
    write_network_settings(tmp_path, BUNDLE, {key: value, "side_pairs": []})
    with pytest.raises(InputError, match=f"{key} holds code, which is not run from there.*--set '{key}="):
        with_network_settings(tmp_path / "model.pt", {})
    overrides, notes = with_network_settings(tmp_path / "model.pt", {key: value})
    assert overrides == {key: value, "side_pairs": []}
    assert notes == ["as in training: side_pairs=[]"]


@pytest.mark.parametrize("content", ["{", json.dumps([1])])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match=r"network_settings\.json: not as `medseg train` wrote it"):
        with_network_settings(tmp_path / "model.pt", {})
