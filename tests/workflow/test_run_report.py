import json

import torch

import medseg
from medseg.catalog import Bundle
from medseg.workflow.predict import PredictionResult
from medseg.workflow.run_report import RunReport


def test_content(tiny_bundle, tmp_path):
    settings = {"device": torch.device("cpu"), "min_size": 3, "axes": None, "tile_shape": [4, 5]}
    report = RunReport.begin(Bundle(tiny_bundle), torch.device("cpu"), tmp_path / "m.pt", "abc", settings)
    report.results.append(PredictionResult("a.tif", outputs={"labels": "o/a_labels.tif"}, objects=4, seconds=0.5))
    report.results.append(PredictionResult("b.tif", status="failed", error="b.tif: no", warnings=["odd"]))
    report.problems.append("c.tif: no such file")
    path = tmp_path / "sub" / "report.json"
    report.write(path)
    report.write(path)  # an earlier one is replaced
    content = json.loads(path.read_text())
    assert content["bundle"] == "tiny_em"
    assert content["weights"] == {"path": str(tmp_path / "m.pt"), "sha256": "abc"}
    assert content["settings"] == {"device": "cpu", "min_size": 3, "axes": None, "tile_shape": [4, 5]}
    assert (content["device"], content["seed"]) == ("cpu", 0)
    assert content["versions"]["medseg"] == medseg.__version__
    assert {"python", "torch", "monai", "numpy"} <= set(content["versions"])
    assert [(i["input"], i["status"], i["error"], i["objects"]) for i in content["images"]] == [
        ("a.tif", "ok", None, 4),
        ("b.tif", "failed", "b.tif: no", None),
    ]
    assert content["images"][0]["outputs"] == {"labels": "o/a_labels.tif"}
    assert content["images"][1]["warnings"] == ["odd"]
    assert content["not_run"] == ["c.tif: no such file"]
    assert content["seconds"] >= 0
    assert content["started"]
