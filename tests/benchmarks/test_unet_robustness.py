"""Robustness of the U-Net bundles runs from its command to its table, with the shipped weights."""

import pytest

from data_tools.synth.dataset import write_synthetic

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("bundle", "kind", "heading"),
    [
        ("em_membrane_unet", "em", "| change | pixel error | V_Rand | warping error |"),
        ("phase_contrast_cells_unet", "phase-contrast", "| change | IoU | AP50 |"),
    ],
)
def test_unet_robustness(benchmark, tmp_path, capsys, bundle, kind, heading):
    write_synthetic(kind, tmp_path / "data", count=2, shape=(260, 270))
    arguments = (bundle, "--data", tmp_path / "data", "--changes", "none", "half the size", "blur, sigma 3 px")
    benchmark("unet_robustness", *arguments).main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == heading
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]
    assert [row[0] for row in rows] == ["none", "half the size", "blur, sigma 3 px"]
    assert len({tuple(row[1:]) for row in rows}) == 3
    assert all(0 <= float(cell) <= 1 for row in rows for cell in row[1:])
