import json
from pathlib import Path

import pytest

from medseg.errors import InputError
from medseg.workflow.class_names import named_classes, structures_of


def test_classes_are_those_of_the_first_description_that_names_them(tmp_path: Path):
    split, description, broken = (tmp_path / name for name in ("split.json", "dataset.json", "broken.json"))
    split.write_text(json.dumps({"training": [], "validation": []}))
    assert named_classes(None, split, description) is None
    description.write_text(json.dumps({"classes": {"0": "background", "1": "liver"}}))
    assert named_classes(split, description) == {"0": "background", "1": "liver"}
    broken.write_text(json.dumps({"classes": ["liver"]}))
    with pytest.raises(InputError, match=r"broken\.json: classes must be names by label"):
        named_classes(broken)


def test_names_are_those_given_else_those_of_the_data():
    data = {"0": "air", "1": "liver", "2": "spleen", "third": "?"}
    assert structures_of({"1": "Leber"}, data, 3) == {"1": "Leber"}
    assert structures_of(None, data, 2) == {"0": "air", "1": "liver"}
    assert structures_of(None, None, 2) == {}


@pytest.mark.parametrize("name", ["$open('x', 'w')", "@weights", "%inference.json"])
def test_a_name_is_never_computed(name):
    for given, data in (({"1": name}, None), (None, {"1": name})):
        with pytest.raises(InputError, match="is no name of an organ: MONAI would compute it"):
            structures_of(given, data, 2)


@pytest.mark.parametrize("given", ["liver", ["liver"], {"liver": 1}, {"2": "spleen"}, {"1": 7}, 5])
def test_what_names_no_labels_is_refused(given):
    with pytest.raises(InputError, match=r"give names by label.* 0 to 1 \(network_def::out_channels=2\)"):
        structures_of(given, None, 2)
