"""The table on the terminal."""

from medseg.metrics.evaluation import Scores
from medseg.report.score_table import format_score, worst_first

IMAGES = {
    "a": Scores({"v_rand": 0.9, "vi_split": 0.1}, {}),
    "b": Scores({"v_rand": 0.8, "vi_split": float("nan")}, {"vi_split": 1}),
}


def test_the_worst_knows_which_way_is_better():
    assert worst_first(IMAGES, "v_rand") == ["b", "a"]
    assert worst_first(IMAGES, "vi_split") == ["a", "b"]


def test_numbers():
    assert [format_score(v) for v in (0.00035312, 12345678, float("nan"))] == ["0.0003531", "12345678", "undefined"]
