import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from data_tools.synth.dataset import write_synthetic


def test_the_average_follows_weights_and_statistics(benchmark):
    towards = benchmark("timed_training").towards
    network = torch.nn.BatchNorm1d(1)
    average = AveragedModel(network, multi_avg_fn=towards, use_buffers=True)
    for value in (1.0, 2.0):
        torch.nn.init.constant_(network.weight, value)
        network.running_var.fill_(10 * value)
        network.num_batches_tracked.fill_(int(value))
        average.update_parameters(network)
    share = 1 - 2 / 11  # of the second of two updates
    torch.testing.assert_close(average.module.weight.data, torch.tensor([1 + share]))
    torch.testing.assert_close(average.module.running_var, torch.tensor([10 + 10 * share]))
    assert average.module.num_batches_tracked == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "kind", "settings"),
    [
        ("em_membrane_unet", "em", ["--size", 220, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("phase_contrast_cells_unet", "phase-contrast", ["--size", 220, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("nuclei_unetplusplus", "nuclei", ["--size", 64, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("nuclei_mask_rcnn", "nuclei", ["--size", 64]),
        ("headneck_ct_unet3d", "ct", ["--size", 32, "--slices", 16, "--set", "network_def#channels=[2,4,6,8,10]"]),
        ("headneck_ct_deeplabv3plus", "ct", ["--size", 64]),
    ],
)
def test_train(benchmark, tmp_path, capsys, name, kind, settings):
    shape = (48, 40, 24) if kind == "ct" else (300, 260)
    write_synthetic(kind, tmp_path / "data", count=2, shape=shape)
    out = tmp_path / "model.pt"
    arguments = (
        name,
        tmp_path / "data",
        "--out",
        out,
        "--steps",
        2,
        "--batch",
        2,
        "--workers",
        1,
        "--still",
        0.5,
        *settings,
    )
    for _ in range(2):
        benchmark("timed_training", *arguments, "--cache", tmp_path / "cache.pt").main()
    assert "2 steps of 2" in capsys.readouterr().out
    state = torch.load(out, weights_only=True)
    assert all(v.isfinite().all() and v.dtype in (torch.float16, torch.int64) for v in state.values())
