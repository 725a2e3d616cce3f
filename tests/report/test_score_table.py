"""The table on the terminal."""

from types import SimpleNamespace

from medseg.metrics.evaluation import Scores
from medseg.report.score_table import format_score, score_table, worst_first

IMAGES = {
    "a": Scores({"v_rand": 0.9, "vi_split": 0.1}, {}),
    "b": Scores({"v_rand": 0.8, "vi_split": float("nan")}, {"vi_split": 1}),
}


def test_the_worst_knows_which_way_is_better():
    assert worst_first(IMAGES, "v_rand") == ["b", "a"]
    assert worst_first(IMAGES, "vi_split") == ["a", "b"]


def test_numbers():
    assert [format_score(v) for v in (0.00035312, 12345678, float("nan"))] == ["0.0003531", "12345678", "undefined"]


def test_the_table_names_the_worst_of_several_images():
    total = Scores({"v_rand": 0.85, "vi_split": 0.1}, {"vi_split": 1})
    assert score_table(SimpleNamespace(total=total, images=IMAGES)).splitlines() == [
        "score          total  worst image",
        "v_rand          0.85  b (0.8)",
        "vi_split         0.1  a (0.1)",
    ]
    alone = SimpleNamespace(total=IMAGES["b"], images={"b": IMAGES["b"]})
    assert score_table(alone).splitlines() == [
        "score          value",
        "v_rand           0.8",
        "vi_split   undefined",
    ]
