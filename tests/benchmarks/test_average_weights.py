import pytest
import torch

from data_tools.synth.dataset import write_synthetic


def test_floats_are_averaged_and_counts_kept(benchmark):
    first = {"weight": torch.tensor([1.0, 5.0]).half(), "num_batches_tracked": torch.tensor(7)}
    second = {"weight": torch.tensor([2.0, 9.0]).half(), "num_batches_tracked": torch.tensor(9)}
    mean = benchmark("average_weights").mean_of([first, second])
    assert mean["weight"].tolist() == [1.5, 7.0]
    assert mean["num_batches_tracked"] == 7


def test_statistics_are_the_mean_over_batches(benchmark):
    network = torch.nn.BatchNorm2d(1)
    network.running_mean.fill_(40.0)
    batches = [torch.full((2, 1, 3, 3), value) for value in (1.0, 2.0, 6.0)]
    batches[0][0] = 3.0
    benchmark("average_weights").estimate_statistics(network, batches)
    torch.testing.assert_close(network.running_mean, torch.tensor([(2.0 + 2 + 6) / 3]))
    torch.testing.assert_close(network.running_var, torch.tensor([batches[0].var() / 3]))


@pytest.mark.slow
def test_command(benchmark, tmp_path):
    write_synthetic("nuclei", tmp_path / "data", count=2, shape=(200, 180))
    settings = ("--size", 64, "--batch", 2, "--workers", 1, "--set", "network_def#channels=[2,4,6,8,10]")
    cache = ("--cache", tmp_path / "cache.pt")
    files = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for seed, path in enumerate(files):
        training = ("--out", path, "--steps", 1, "--seed", seed, *settings, *cache)
        benchmark("timed_training", "nuclei_unetplusplus", tmp_path / "data", *training).main()
    out = tmp_path / "mean.pt"
    averaging = ("--out", out, "--batches", 2, *settings, *cache)
    benchmark("average_weights", "nuclei_unetplusplus", tmp_path / "data", *files, *averaging).main()
    one, two, mean = (torch.load(path, weights_only=True) for path in (*files, out))
    moments = [name for name in mean if "running" in name]
    assert any(not torch.equal(mean[name], one[name]) for name in moments)
    for name in set(mean) - set(moments):
        if mean[name].is_floating_point():
            torch.testing.assert_close(
                mean[name].float(), (one[name].float() + two[name].float()) / 2, atol=1e-3, rtol=2e-3
            )
