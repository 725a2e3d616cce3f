import csv

import pytest

from medseg.errors import InputError
from medseg.io.csv_file import csv_file


def test_rows_as_given_and_odd_file_names_in_backslashes(tmp_path):
    with csv_file(tmp_path / "new" / "a.csv") as file:
        csv.writer(file).writerow(["µm", "two\nlines", b"\xff.tif".decode(errors="surrogateescape")])
        assert not (tmp_path / "new" / "a.csv").exists()
    assert (tmp_path / "new" / "a.csv").read_bytes() == '\u00b5m,"two\nlines",\\udcff.tif\r\n'.encode()
    with pytest.raises(InputError, match="exists"), csv_file(tmp_path / "new" / "a.csv"):
        pass
    with csv_file(tmp_path / "new" / "a.csv", overwrite=True) as file:
        file.write("anew")
    assert (tmp_path / "new" / "a.csv").read_text() == "anew"
