import pytest

from medseg.errors import InputError
from medseg.io.json_file import read_json_object, write_json


def test_what_is_written_is_read(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Zürich", "n": [1, None]})
    assert read_json_object(tmp_path / "a.json") == {"name": "Zürich", "n": [1, None]}
    with pytest.raises(InputError, match="exists already"):
        write_json(tmp_path / "a.json", {})
    write_json(tmp_path / "a.json", {}, overwrite=True)
    assert read_json_object(tmp_path / "a.json") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"{", "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b"[1]", "must be a JSON object, {...}, not list"),
    ],
)
def test_what_is_no_object_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match=f"a.json: .*{message}"):
        read_json_object(tmp_path / "a.json")
