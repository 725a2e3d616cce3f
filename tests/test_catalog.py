import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from medseg import catalog
from medseg.catalog import Bundle, find_bundle, list_bundles
from medseg.errors import InputError

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tiny_bundle, tmp_path) -> Bundle:
    return Bundle(Path(shutil.copytree(tiny_bundle, tmp_path / "tiny_em")))


def test_a_checkout_has_its_bundles():
    shipped = {path.parent.parent.name for path in (ROOT / "bundles").glob("*/configs/metadata.json")}
    assert [bundle.name for bundle in list_bundles()] == sorted(shipped)
    assert find_bundle("em_membrane_unet").root == ROOT / "bundles" / "em_membrane_unet"


def test_an_installed_package_has_its_bundles(copy, monkeypatch):
    monkeypatch.setattr(catalog, "_PLACES", (copy.root.parent,))
    assert [bundle.name for bundle in list_bundles()] == ["tiny_em"]


def test_a_folder_is_a_bundle_too(copy, monkeypatch):
    assert find_bundle(str(copy.root)).root == copy.root
    monkeypatch.chdir(copy.root.parent)
    assert find_bundle("tiny_em/").root == copy.root


def test_an_unknown_bundle_is_answered_with_the_known_ones(tmp_path):
    for name in ("em_membrane", str(tmp_path)):
        with pytest.raises(InputError, match=r"neither a bundle of medseg .*em_membrane_unet.* nor a folder"):
            find_bundle(name)


@pytest.mark.parametrize(
    ("config", "key", "there"),
    [
        ("train", "network_def::channels", True),
        ("train", "network_def::channels::0", True),
        ("train", "network_def::channels::9", False),
        ("train", "network_def::widths", False),
        ("inference", "epochs", False),
        ("nothing", "epochs", False),
    ],
)
def test_keys_of_a_config(copy, config, key, there):
    assert (key in copy.settings(config)) == there


def test_summary(copy):
    summary = copy.summary()
    assert (summary["name"], summary["dimensions"], summary["weights"]) == ("tiny_em", 2, True)
    assert "non-commercial" in summary["data_licence"]
    copy.weights.unlink()
    assert not copy.summary()["weights"]


def test_weights_must_be_those_of_the_metadata(copy):
    assert copy.check_weights() == hashlib.sha256(copy.weights.read_bytes()).hexdigest()
    content = copy.weights.read_bytes()
    for damaged in (content[:-1], content[:100] + b"?" + content[101:], b""):
        copy.weights.write_bytes(damaged)
        with pytest.raises(InputError, match=r"model\.pt: the weights are damaged or were replaced"):
            copy.check_weights()
    copy.weights.unlink()
    with pytest.raises(InputError, match=r"model\.pt: the weights are missing; reinstall"):
        copy.check_weights()


def test_a_recipe_is_not_told_to_be_reinstalled():
    recipe = find_bundle("chest_ct_unet_transfer")
    assert recipe.is_recipe
    with pytest.raises(InputError, match="chest_ct_unet_transfer: has no weights of its own; train it"):
        recipe.check_weights()


def test_damaged_metadata_and_missing_configs(copy):
    with pytest.raises(InputError, match=r"no configs/nothing\.json"):
        copy.config("nothing")
    (copy.root / "configs" / "metadata.json").write_text("{")
    with pytest.raises(InputError, match=r"metadata\.json: not readable"):
        Bundle(copy.root).summary()


@pytest.mark.parametrize(
    "arguments", [["bundles", "--json"], ["bundles"], ["--help"], ["predict", "--help"], ["train", "-h"]]
)
def test_answers_without_loading_the_heavy_libraries(arguments):
    code = (
        "import sys; from medseg.cli import app\n"
        "try: app(sys.argv[1:], standalone_mode=False)\n"
        "except SystemExit: pass\n"
        "heavy = 'torch monai numba scipy skimage matplotlib numpy nibabel pooch tifffile'.split()\n"
        "print(sorted(set(heavy) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    assert done.stderr.strip() == "[]"
    if "--json" in arguments:
        assert [b["name"] for b in json.loads(done.stdout)] == [b.name for b in list_bundles()]
    assert done.stdout.strip()
