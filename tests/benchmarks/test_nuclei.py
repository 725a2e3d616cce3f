import json

import numpy as np
import pytest
import torch

from data_tools.synth.dataset import write_synthetic
from data_tools.synth.nuclei import nuclei
from medseg.io import write_image, write_labels
from medseg.networks import UNetPlusPlus
from medseg.transforms import InstancesFromCore


def squares() -> np.ndarray:
    labels = np.zeros((32, 48), np.int32)
    labels[4:14, 4:14], labels[4:14, 20:30], labels[20:30, 4:14] = 1, 2, 3
    return labels


def test_scores_by_hand(benchmark):
    """Of three nuclei one is missed and one found at an IoU of exactly one half."""
    nuclei_scores = benchmark("nuclei_scores")
    truth, found = squares(), squares()
    found[found == 3] = 0
    found[9:14, 4:14] = 0
    samples = [
        nuclei_scores.Sample(torch.zeros(3, 32, 48), truth, kind) for kind in ("fluorescence", "bbbc039", "stained")
    ]
    guesses = [truth, truth, found]
    result = nuclei_scores.scores(guesses, samples, lambda labels: labels[None])
    assert list(result) == ["bbbc039", "fluorescence", "stained", "all fluorescence", "all"]
    assert result["all fluorescence"] == {"images": 2, "IoU": 1, "AP50": 1, "AP50:95": 1, "warping error": 0}
    stained = result["stained"]
    assert stained["IoU"] == 0.5
    assert stained["AP50"] == pytest.approx(2 / 3)
    assert stained["AP50:95"] == pytest.approx((2 / 3 + 9 * 1 / 4) / 10)
    assert result["all"]["AP50"] == pytest.approx(8 / 9)
    table = nuclei_scores.table_of(result, "images")
    assert "| bbbc039 | 1 | 1.000 | 1.000 | 1.000 | 0.00000 |" in table


def test_outcomes_by_size_of_the_reference(benchmark):
    nuclei_outcomes = benchmark("nuclei_outcomes")
    truth = squares()
    truth[20:24, 20:25] = 4
    found = np.where(truth == 4, 0, truth)
    found[4:14, 14:30] = 1  # swallows its neighbour
    outcomes = nuclei_outcomes.object_outcomes(nuclei_outcomes.contingency_table(truth, found))
    rows = nuclei_outcomes.outcomes_by_size(outcomes)
    assert [dict(row) for row in rows] == [{"missed": 1}, {}, {"merged": 2, "matched": 1}, {}, {}, {}]
    table = nuclei_outcomes.table_of(rows)
    assert "| 61 to 100 | 3 | 0.333 | 0.667 | 0.000 | 0.000 |" in table
    assert "| 501 and more | 0 |" in table
    alone = nuclei_outcomes.object_outcomes(nuclei_outcomes.contingency_table(truth, truth))
    precisions = nuclei_outcomes.average_precisions([outcomes, alone, ()])
    expected = [5 / 9, (1 / 5 + 1) / 2, 4 / 7]  # a matched, two merged, a missed speck, a merger; then all four
    assert list(precisions.values()) == pytest.approx(expected)


def test_probabilities_of_images_that_do_not_pool(benchmark):
    nuclei_scores = benchmark("nuclei_scores")
    sample = nuclei_scores.Sample(torch.rand(3, 30, 41), squares(), "x")
    network = UNetPlusPlus(2, 3, 2, channels=(2, 2, 2)).eval()
    (found,) = nuclei_scores.probabilities(network, [sample])
    assert found.shape == (2, 30, 41)
    assert (found > 0).all()
    assert (found < 1).all()
    assert InstancesFromCore()(torch.from_numpy(found)).shape == (1, 30, 41)


def test_every_network_of_the_comparison_trains_and_predicts(benchmark):
    comparison = benchmark("nuclei_comparison")
    for name, build in comparison.NETWORKS.items():
        network = build()
        output = network.eval()(torch.rand(1, 3, 32, 32))
        assert output.shape == (1, 2, 32, 32), name


def test_training_folder_keeps_kinds_and_groups(benchmark, tmp_path):
    for name in ("dsb", "bbbc"):
        for k in range(6):
            sample = nuclei((40, 44), seed=k + 10 * (name == "dsb"))
            stem = f"{'ABC'[k // 2]}0{k % 2 + 1}_s{k}"
            write_image(tmp_path / name / "images" / f"{stem}.tif", sample.image)
            write_labels(tmp_path / name / "labels" / f"{stem}.tif", sample.labels)
    rows = [f"{'ABC'[k // 2]}0{k % 2 + 1}_s{k},{'stained' if k < 2 else 'fluorescence'},{k // 2}" for k in range(6)]
    (tmp_path / "dsb" / "index.csv").write_text("\n".join(["file,modality,field_group", *rows]) + "\n")
    # the two sets use the same names for their files: rename one
    for part in ("images", "labels"):
        for path in (tmp_path / "bbbc" / part).iterdir():
            path.rename(path.with_name(path.name.replace("_s", "_s1")))
    target = tmp_path / "folder"
    benchmark("nuclei_training_folder", tmp_path / "dsb", tmp_path / "bbbc", target).main()
    content = json.loads((target / "dataset.json").read_text())
    entries = content["training"] + content["validation"]
    assert len(entries) == 12
    assert {e["stratum"] for e in entries} == {"stained", "fluorescence", "bbbc039"}
    groups = [{e["group"] for e in content[part]} for part in ("training", "validation")]
    assert not groups[0] & groups[1]
    assert len(content["checksums"]) == 24


def test_images_unlike_those_of_training(benchmark):
    robustness = benchmark("nuclei_robustness")
    truth = squares()
    image = torch.from_numpy(np.stack([truth > 0] * 3).astype(np.float32))
    sample = robustness.Sample(image, truth, "fluorescence")
    for name, change in robustness.CHANGES.items():
        changed = robustness.after(change, sample)
        assert changed.image.shape[1:] == changed.labels.shape, name
        assert set(np.unique(changed.labels)) == {0, 1, 2, 3}, name
        bright = changed.image[0][torch.from_numpy(changed.labels > 0)].mean()
        assert (bright > changed.image.mean()) == (name != "inverted"), name
    assert robustness.CHANGES["lighter, gamma 0.5"](image.numpy() / 4, truth)[0].max() == 0.5
    assert robustness.CHANGES["darker, gamma 2"](image.numpy() / 4, truth)[0].max() == 1 / 16
    shapes = [
        robustness.after(robustness.CHANGES[f"{size} the size"], sample).labels.shape for size in ("half", "twice")
    ]
    assert shapes == [(16, 24), (64, 96)]


@pytest.mark.slow
@pytest.mark.parametrize("bundle", ["nuclei_unetplusplus", "nuclei_mask_rcnn"])
def test_robustness_of_both_bundles(benchmark, tmp_path, capsys, bundle):
    write_synthetic("nuclei", tmp_path, count=2, shape=(120, 130))
    arguments = ("--data", tmp_path, "--bundle", bundle, "--changes", "none", "three times the size")
    benchmark("nuclei_robustness", *arguments).main()
    none, larger = capsys.readouterr().out.splitlines()[2:]
    assert none.startswith("| none | nan | nan | 0.")
    assert float(none.split("|")[-2]) > float(larger.split("|")[-2])
