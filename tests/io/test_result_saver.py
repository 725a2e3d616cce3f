import pytest
import torch
from monai.data import MetaTensor

from medseg.errors import InputError
from medseg.io.result_saver import ResultSaver


class SaveSum(ResultSaver):
    def write(self, data, key):
        self.target(data, key, "sum.txt").write_text(str(int(data[key].sum())))


def test_each_key_is_written_beside_its_stem_and_passes_unchanged(tmp_path):
    data = {
        name: MetaTensor(torch.ones(n), meta={"filename_or_obj": f"in/{name}.ome.tif"}) for n, name in enumerate("ab")
    }
    result = SaveSum(("a", "b", "c"), tmp_path, allow_missing_keys=True)(data)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a_sum.txt": "0", "b_sum.txt": "1"}
    assert all(result[key] is data[key] for key in "ab")
    assert result is not data
    with pytest.raises(KeyError, match="c"):
        SaveSum("c", tmp_path)(data)


def test_a_result_of_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no file name"):
        SaveSum("a", tmp_path)({"a": torch.ones(1)})


def test_the_stem_of_an_item_counts_before_the_name_of_its_file(tmp_path):
    SaveSum("a", tmp_path)({"a": MetaTensor(torch.ones(3), meta={"filename_or_obj": "p1/ct"}), "stem": "p1_ct"})
    assert [path.name for path in tmp_path.iterdir()] == ["p1_ct_sum.txt"]
