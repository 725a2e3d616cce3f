import json

import pytest

from medseg.errors import InputError
from medseg.workflow.network_settings import FILE, with_network_settings, write_network_settings


def test_what_shapes_the_network_comes_back(tmp_path):
    settings = {
        "network_def::out_channels": 3,
        "network_def#encoder": "vgg16",
        "side_pairs": [],
        "epochs": 2,
        "seed": 0,
    }
    write_network_settings(tmp_path, settings)
    overrides, notes = with_network_settings(tmp_path / "model.pt", {"device": "cpu"})
    assert overrides == {
        "network_def::out_channels": 3,
        "network_def#encoder": "vgg16",
        "side_pairs": [],
        "device": "cpu",
    }
    assert notes[0] == "as in training: network_def::out_channels=3"
    assert len(notes) == 3


def test_what_is_given_anew_counts(tmp_path):
    write_network_settings(tmp_path, {"network_def::dropout": 0.2, "network_def::out_channels": 3})
    given = {"network_def#out_channels": 4}
    overrides, notes = with_network_settings(tmp_path / "model.pt", given)
    assert overrides == {"network_def::dropout": 0.2, "network_def#out_channels": 4}
    assert len(notes) == 1
    assert with_network_settings(tmp_path / "model.pt", {"network_def": {}}) == ({"network_def": {}}, [])


def test_without_such_settings_there_is_no_file(tmp_path):
    write_network_settings(tmp_path, {"network_def::dropout": 0.2})
    write_network_settings(tmp_path, {"epochs": 2})
    assert not list(tmp_path.iterdir())
    assert with_network_settings(tmp_path / "model.pt", {"tta": True}) == ({"tta": True}, [])


@pytest.mark.parametrize("content", ["{", json.dumps([1])])
def test_a_damaged_file_is_named(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    with pytest.raises(InputError, match=r"network_settings\.json: not as `medseg train` wrote it"):
        with_network_settings(tmp_path / "model.pt", {})
