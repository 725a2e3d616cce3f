import json

import pytest

from medseg.catalog import Bundle
from medseg.networks import UNet
from medseg.workflow.load import load_workflow


def test_each_row_leaves_out_what_it_says(benchmark, tiny_phase_contrast_bundle, cells_folder, tmp_path):
    ablation = benchmark("unet_recipe_ablation")
    bundle = Bundle(tiny_phase_contrast_bundle)
    config = json.loads(bundle.config("train").read_text())
    items, w0 = {}, config["border_weight"]
    assert w0 > 0
    for row in ablation.ROWS:
        settings = ablation.overrides_of(row, config) | {"epochs": 1, "device": "cpu"}
        parser = load_workflow(
            bundle, "train", settings, dataset_dir=str(cells_folder), output_dir=str(tmp_path)
        ).parser
        transforms = parser.get_parsed_content("train::preprocessing").set_random_state(seed=0).transforms
        elastic = next(t for t in transforms if type(t).__name__ == "RandElasticDeformationd")
        weights = next(t for t in transforms if type(t).__name__ == "BorderWeightMapd")
        network = parser.get_parsed_content("network_def")
        items[row] = (elastic.prob, weights.weigh.options["w0"], network.margin > 0)
        image = parser.get_parsed_content("train::dataset")[0]["image"]
        assert network.valid_size(image.shape[-1]) == image.shape[-1]
    assert items == {
        "full": (0.8, w0, True),
        "no_elastic": (0.0, w0, True),
        "no_border_weights": (0.8, 0.0, True),
        "same_padding": (0.8, w0, False),
    }


def test_padded_crops_are_as_large_as_the_unpadded_networks_output(benchmark):
    ablation = benchmark("unet_recipe_ablation")
    config = {"network_def": {"channels": [2, 4, 4]}, "patch_size": 100}
    side = ablation.overrides_of("same_padding", config)["patch_size"]
    out = 100 - 2 * UNet(2, 1, 1, [2, 4, 4]).margin
    assert out - 4 < side <= out
    assert side % 4 == 0


@pytest.mark.slow
def test_a_row_is_trained_once_and_scored(benchmark, tiny_phase_contrast_bundle, cells_folder, tmp_path):
    arguments = [tiny_phase_contrast_bundle, "--data", cells_folder, "-o", tmp_path, "--epochs", 1]
    ablation = benchmark("unet_recipe_ablation", *arguments, "--row", "full", "--set", "patch_size=284")
    ablation.main()
    first = (tmp_path / "table.md").read_text()
    assert first.startswith("| | ap50 | ")
    assert "| full recipe | 0." in first
    stamp = (tmp_path / "full" / "model.pt").stat().st_mtime_ns
    ablation.main()
    assert (tmp_path / "full" / "model.pt").stat().st_mtime_ns == stamp
    assert (tmp_path / "table.md").read_text() == first
