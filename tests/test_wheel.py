"""The wheel carries the bundles, and they are found in it."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from medseg.catalog import list_bundles

ROOT = Path(__file__).parent.parent
LIST_BUNDLES = (
    "import json; from medseg.catalog import list_bundles; print(json.dumps([b.summary() for b in list_bundles()]))"
)


def test_bundles_are_found_in_an_installed_wheel(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("medseg-*.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    environment = os.environ | {"PYTHONPATH": str(installed)}
    run = subprocess.run(
        [sys.executable, "-c", LIST_BUNDLES], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    found = {b["name"]: b for b in json.loads(run.stdout)}
    in_checkout = {p.parent.parent.name for p in (ROOT / "bundles").glob("*/configs/metadata.json")}
    assert set(found) == in_checkout
    assert all(Path(b["path"]).is_relative_to(installed) for b in found.values())
    promised = {b.name for b in list_bundles() if b.metadata["weights_sha256"]}
    assert {name for name, b in found.items() if b["weights"]} == promised
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"data_tools/__init__.py", "medseg/py.typed"} <= names  # the latter: type hints count for its users
    assert not any(n.startswith("tests/") for n in names)
    licences = f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info/licenses"
    assert {n for n in names if n.startswith(licences)} == {
        f"{licences}/LICENSE",
        *(f"{licences}/bundles/{name}/docs/data_license.txt" for name in promised),
    }
    # what a bundle run in the checkout has read and written there is nobody else's
    parts = {n.split("/")[3] for n in names if n.startswith("medseg/_bundles/")}
    assert parts == {"LICENSE", "configs", "docs", "models"}
