import pytest

from medseg.cli.config_values import parse_settings, parse_shape
from medseg.errors import InputError


def test_values_are_json_where_they_can_be():
    given = ["a=3", "b::c=0.5", "d=true", "e=null", "f=[1, 2]", "g=some text", 'h="3"', "i=x=y", "j="]
    assert parse_settings(given, {}) == {
        "a": 3,
        "b::c": 0.5,
        "d": True,
        "e": None,
        "f": [1, 2],
        "g": "some text",
        "h": "3",
        "i": "x=y",
        "j": "",
    }
    assert parse_settings(None, {}) == {}


@pytest.mark.parametrize("item", ["epochs", "=3", ""])
def test_refuses_what_sets_nothing(item):
    with pytest.raises(InputError, match="give KEY=VALUE"):
        parse_settings([item], {})


def test_refuses_what_an_option_sets():
    with pytest.raises(InputError, match="use --device for device"):
        parse_settings(["device=cpu"], {"device": "--device"})


def test_shapes():
    assert parse_shape("--tile", "572, 380", 2) == [572, 380]
    assert parse_shape("--tile", "1,2,3", 3) == [1, 2, 3]


@pytest.mark.parametrize("text", ["572", "1,2,3", "0,5", "-1,5", "a,5", "²,5", "1.5,2", "", ","])
def test_refuses_what_is_no_shape(text):
    with pytest.raises(InputError, match=r"--tile .*: give 2 positive whole numbers, for example 572,572"):
        parse_shape("--tile", text, 2)


def test_the_words_of_python_are_no_texts():
    given = ["a=True", "b=False", "c=None", "d=true", "e=Truely"]
    assert parse_settings(given, {}) == {"a": True, "b": False, "c": None, "d": True, "e": "Truely"}


@pytest.mark.parametrize("text", ["(64,64)", "[64,64", "['a']", "{1: 'liver'}"])
def test_lists_that_are_no_json(text):
    with pytest.raises(InputError, match=r"--set a=.* is no JSON; write lists as \[64,64\]"):
        parse_settings([f"a={text}"], {})
