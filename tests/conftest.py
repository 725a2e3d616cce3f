"""Fixtures that several test folders share."""

import builtins
import errno
import io
import json
import locale
import os
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent / "oracle"))  # fill_weights: numbers of the parity oracles
sys.path.insert(0, str(Path(__file__).parent / "builders"))  # dicom_series, bundle_weights

ROOT = Path(__file__).parent.parent

settings.register_profile("no_deadline", deadline=None)  # the first example compiles kernels
settings.load_profile("no_deadline")


@pytest.fixture(scope="session")
def arch_oracle() -> Path:
    """Folder of the architectures' stored inputs and outputs."""
    return Path(__file__).parent / "oracle" / "arch"


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of real labelled images; the test skips where there is none."""
    folder = os.environ.get("MEDSEG_DATA_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MEDSEG_DATA_DIR names no folder of real images")
    return Path(folder)


@pytest.fixture(scope="session")
def oracle_dir() -> Path:
    """Folder of reference values that may not be copied here; the test skips where there is none."""
    folder = os.environ.get("MEDSEG_ORACLE_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("MEDSEG_ORACLE_DIR names no folder of reference values")
    return Path(folder)


@pytest.fixture(autouse=True)
def locale_of_the_process():
    """Put back after each test: SimpleITK's DICOM writer leaves the whole process with the locale C (ASCII)."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.fixture
def figures(monkeypatch) -> list:
    """The figures that matplotlib makes from now on."""
    from matplotlib.figure import Figure

    made = []

    class Kept(Figure):
        def __init__(self, **options):
            super().__init__(**options)
            made.append(self)

    monkeypatch.setattr("matplotlib.figure.Figure", Kept)
    return made


@pytest.fixture
def forbidden(monkeypatch):
    """Makes a file one that may not be read, also where root runs the tests."""

    def forbid(path: Path) -> Path:
        def denied(file: object, *args: object, **kwargs: object):
            if isinstance(file, str | Path) and Path(file) == path:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return opened(file, *args, **kwargs)

        opened = builtins.open
        monkeypatch.setattr(builtins, "open", denied)
        monkeypatch.setattr(io, "open", denied)  # pathlib's
        return path

    return forbid


@pytest.fixture
def no_space_left():
    """A context in which the disk takes no file larger than 4 kB: a real failing write, as on a full disk."""
    resource = pytest.importorskip("resource", reason="the limit on file sizes is a POSIX one")

    @contextmanager
    def limited(size: int = 4096):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


def tiny_copy(shipped: Path, root: Path, channels: tuple[int, ...] = (2, 2, 4, 4, 4), seed: int = 0) -> Path:
    """A copy of a shipped U-Net bundle with a narrow network and seeded random weights, quick on any machine."""
    import torch
    from bundle_weights import ship_weights
    from monai.bundle import ConfigParser

    shutil.copytree(shipped, root, ignore=shutil.ignore_patterns("models", "docs"))
    for path in (root / "configs").glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        if "network_def" in content:
            content["network_def"]["channels"] = list(channels)
            # random weights are never sure: cells as soon as they are more likely than not
            thresholds = ("seed_threshold", "threshold", "core_threshold", "cell_threshold")
            content |= {key: 0.5 for key in thresholds if key in content}
            path.write_text(json.dumps(content, indent=2), encoding="utf-8")
    parser = ConfigParser()
    parser.read_config(root / "configs" / "inference.json")
    torch.manual_seed(seed)
    network = parser.get_parsed_content("network_def")
    with torch.inference_mode():  # probabilities on both sides of the threshold
        side = network.valid_size(284)
        logits = network.eval()(torch.rand(1, network.in_channels, side, side))
        head = network.heads[str(network.depth)] if hasattr(network, "heads") else network.head
        head.weight.data *= 2 / logits.std()
        head.bias.data -= 2 * logits.quantile(0.7) / logits.std()
    ship_weights(root, network)
    return root


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory) -> Path:
    """The EM bundle with a tiny network of random weights. Not to be written to: copy it first."""
    return tiny_copy(ROOT / "bundles" / "em_membrane_unet", tmp_path_factory.mktemp("bundles") / "tiny_em", seed=4)


@pytest.fixture(scope="session")
def tiny_phase_contrast_bundle(tmp_path_factory) -> Path:
    """The bundle of touching cells with a tiny network of random weights. Not to be written to: copy it first."""
    return tiny_copy(ROOT / "bundles" / "phase_contrast_cells_unet", tmp_path_factory.mktemp("bundles") / "tiny_cells")


@pytest.fixture(scope="session")
def tiny_nuclei_bundle(tmp_path_factory) -> Path:
    """The nuclei bundle with a tiny network of random weights. Not to be written to: copy it first."""
    return tiny_copy(ROOT / "bundles" / "nuclei_unetplusplus", tmp_path_factory.mktemp("bundles") / "tiny_nuclei")


@pytest.fixture(scope="session")
def em_folder(tmp_path_factory) -> Path:
    """A training folder of four small synthetic sections. Not to be written to: copy it first."""
    from data_tools.synth.em import em_sections
    from medseg.io import Geometry, write_image, write_labels

    folder = tmp_path_factory.mktemp("em_data")
    for k in range(4):
        sample = em_sections((100, 110), seed=k)
        geometry = Geometry("YX", (0.004, 0.004), "um")
        write_image(folder / "images" / f"s{k}.tif", sample.image, geometry)
        write_labels(folder / "labels" / f"s{k}.tif", sample.labels, geometry)
    return folder


@pytest.fixture(scope="session")
def cells_folder(tmp_path_factory) -> Path:
    """A training folder of two small fields of synthetic cells. Not to be written to: copy it first."""
    from data_tools.synth.phase_contrast import phase_contrast_cells
    from medseg.io import write_image, write_labels

    folder = tmp_path_factory.mktemp("phase_contrast_data")
    for k in range(2):
        sample = phase_contrast_cells((150, 190), seed=k)
        write_image(folder / "images" / f"f{k}.png", sample.image)
        write_labels(folder / "labels" / f"f{k}.tif", sample.labels)
    return folder


@pytest.fixture
def medseg(monkeypatch, capsys):
    """Run the program in this process, as its entry point does; gives its exit code, stdout and stderr."""
    from medseg.cli import main

    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["medseg", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run
