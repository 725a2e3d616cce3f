import pytest
from csv_rows import csv_rows

from medseg.errors import InputError
from medseg.report.image_summary import write_image_summary

GRAY = "label,area_px,area_um2,centroid_y,bbox_y0,mean_intensity,touches_border\n"
COLOUR = "label,section,area_px,area_um2,mean_intensity_c0,mean_intensity_c1,touches_border,score\n"


@pytest.fixture
def tables(tmp_path):
    """Tables of a gray image, a colour stack without a pixel size, and one without objects; a fourth failed."""
    contents = {
        "a.tif": GRAY + "1,10,2.5,3,0,100,True\n2,20,5.0,9,7,300,False\n",
        "b.tif": COLOUR + "1,0,8,,1,2,True,0.5\n2,1,4,,3,6,True,1.0\n",
        "c.tif": GRAY,
    }
    found = {}
    for name, text in contents.items():
        found[tmp_path / name] = tmp_path / f"{name}_objects.csv"
        found[tmp_path / name].write_text(text)
    return {**found, tmp_path / "d.tif": None}


def test_one_row_per_image(tables, tmp_path):
    write_image_summary(tmp_path / "s.csv", tables)
    rows = {row.pop("image"): row for row in csv_rows(tmp_path / "s.csv")}
    gray, colour, none, failed = (rows[str(image)] for image in tables)
    assert {k: float(v) for k, v in gray.items() if v} == {
        "objects": 2,
        "touching_border": 1,
        "mean_area_px": 15,
        "mean_area_um2": 3.75,
        "mean_intensity": 200,
    }
    assert {k: float(v) for k, v in colour.items() if v} == {
        "objects": 2,
        "touching_border": 2,
        "mean_area_px": 6,
        "mean_intensity_c0": 2,
        "mean_intensity_c1": 4,
        "mean_score": 0.75,
    }
    assert {k: v for k, v in none.items() if v} == {"objects": "0", "touching_border": "0"}
    assert not any(failed.values())


def test_keeps_a_file_that_exists(tables, tmp_path):
    (tmp_path / "s.csv").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_image_summary(tmp_path / "s.csv", tables)
    write_image_summary(tmp_path / "s.csv", tables, overwrite=True)
    assert (tmp_path / "s.csv").read_text() != "mine"
