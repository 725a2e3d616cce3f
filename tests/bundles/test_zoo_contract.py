"""What MONAI's Model Zoo, MONAI Label and MONAI Deploy expect of a bundle; for each bundle that is shipped."""

import json
import pydoc
import shutil

import pytest
import torch
from monai.bundle import ConfigParser, ckpt_export, verify_metadata, verify_net_in_out
from monai.bundle.properties import InferProperties, MetaProperties, TrainProperties
from monai.bundle.utils import load_bundle_config

from medseg.catalog import list_bundles

BUNDLES = {bundle.name: bundle for bundle in list_bundles()}
LARGEST_WEIGHTS = 20 * 2**20
INFERENCE_KEYS = [
    "bundle_root",
    "dataset_dir",
    "output_dir",
    "device",
    "network_def",
    "network",
    "preprocessing",
    "postprocessing",
    "inferer",
    "dataset",
    "dataloader",
    "handlers",
    "evaluator",
    "checkpointloader",
    "initialize",
    "run",
]


@pytest.fixture(params=BUNDLES)
def bundle(request):
    return BUNDLES[request.param]


@pytest.fixture
def complete(bundle):
    if not bundle.metadata["weights_sha256"]:
        pytest.skip(f"{bundle.name} has no weights yet")
    assert bundle.weights.is_file()  # what the metadata promise is there
    return bundle


def config(bundle, name) -> dict:
    return json.loads(bundle.config(name).read_text(encoding="utf-8"))


def test_configs_are_ascii(bundle):
    """MONAI opens them in the encoding of the system, which on Windows is not UTF-8."""
    assert all(path.read_bytes().isascii() for path in (bundle.root / "configs").iterdir())


def parser_of(bundle, name) -> ConfigParser:
    parser = ConfigParser()
    parser.read_config(bundle.config(name))
    parser.read_meta(bundle.config("metadata"))
    parser["bundle_root"] = str(bundle.root)
    return parser


def network_of(bundle) -> torch.nn.Module:
    return parser_of(bundle, "inference").get_parsed_content("network_def")


def is_detector(bundle) -> bool:
    return bundle.metadata["network_data_format"]["outputs"]["pred"]["type"] == "object"


@pytest.fixture
def one_tensor(bundle):
    """A bundle whose network returns a tensor; MONAI's checks of network and export expect one."""
    if is_detector(bundle):
        pytest.skip(f"{bundle.name} detects objects: its network returns a dictionary per image, not one tensor")
    return bundle


@pytest.fixture
def detector(bundle):
    if not is_detector(bundle):
        pytest.skip(f"{bundle.name} is no detector")
    return bundle


def values(node, key):
    """All values of ``key`` anywhere below ``node``."""
    if isinstance(node, dict):
        yield from (v for k, v in node.items() if k == key)
        yield from (found for child in node.values() for found in values(child, key))
    elif isinstance(node, list):
        yield from (found for child in node for found in values(child, key))


def test_files(bundle):
    for name in ("metadata.json", "inference.json", "train.json", "logging.conf"):
        assert (bundle.root / "configs" / name).is_file(), name
    assert (bundle.root / "LICENSE").is_file()
    assert not list(bundle.root.rglob("*.py")), "a bundle is configs; code lives in medseg"


def test_documented_once_it_has_weights(complete):
    text = (complete.root / "docs" / "README.md").read_text(encoding="utf-8")
    assert complete.metadata["data_licence"].split(":")[0] in text


def test_every_target_is_dotted_and_there(bundle):
    for path in sorted((bundle.root / "configs").glob("*.json")):
        for target in values(json.loads(path.read_text(encoding="utf-8")), "_target_"):
            if not target.startswith("$"):
                assert "." in target, f"{path.name}: {target}"
                assert pydoc.locate(target) is not None, f"{path.name}: {target}"


def test_keys_that_label_and_deploy_look_up(bundle):
    content = config(bundle, "inference")
    assert [key for key in INFERENCE_KEYS if key not in content] == []
    steps = content["preprocessing"]["transforms"]
    assert steps[0]["_target_"].endswith("LoadImaged")
    assert steps[0]["keys"] in ("image", ["image"])
    savers = [t for t in values(content["postprocessing"], "_target_") if "SaveImage" in t]
    assert savers, "Label and Deploy take over saving: they look for 'SaveImage' in the name"
    assert "pred" in list(values(content["postprocessing"], "keys"))
    io = bundle.metadata["network_data_format"]
    assert (list(io["inputs"]), list(io["outputs"])) == (["image"], ["pred"])


@pytest.mark.parametrize(("name", "properties"), [("inference", InferProperties), ("train", TrainProperties)])
def test_required_properties_are_in_the_config(bundle, name, properties):
    parser = parser_of(bundle, name)
    required = {k: p["id"] for k, p in (properties | MetaProperties).items() if p["required"]}
    missing = []
    for key, place in required.items():
        try:
            assert parser[place] is not None
        except (KeyError, AssertionError):
            missing.append((key, place))
    assert missing == []


def test_metadata_fits_the_schema(bundle, oracle_dir, tmp_path):
    schema = oracle_dir / "monai" / "meta_schema_20240725.json"
    if not schema.is_file():
        pytest.skip("the oracle folder holds no monai/meta_schema_20240725.json")
    pytest.importorskip("jsonschema")
    assert bundle.metadata["schema"].endswith(schema.name)
    local = shutil.copy(schema, tmp_path / "schema.json")  # a file that is there is not downloaded
    verify_metadata(meta_file=str(bundle.config("metadata")), filepath=str(local))


def test_network_takes_and_gives_what_the_metadata_say(one_tensor):
    bundle = one_tensor
    files = {"meta_file": str(bundle.config("metadata")), "config_file": str(bundle.config("inference"))}
    for n in (1, 3):
        verify_net_in_out("network_def", **files, device="cpu", n=n)


def test_detector_takes_and_gives_what_the_metadata_say(detector):
    """In place of MONAI's ``verify_net_in_out``, which expects one tensor, and of its export."""
    data_format = detector.metadata["network_data_format"]
    network, entries = network_of(detector).eval(), data_format["outputs"]["pred"]["channel_def"]["0"]
    image = data_format["inputs"]["image"]
    for n in (1, 3):
        sides = [eval(s, {"n": n}) if isinstance(s, str) else s for s in image["spatial_shape"]]
        with torch.inference_mode():
            (found,) = network(torch.rand(1, image["num_channels"], *sides))
        assert set(found) == {"boxes", "labels", "scores", "box_masks"}
        assert all(name in entries for name in found)
        assert found["boxes"].shape[1] == 2 * len(sides)
        assert str(found["boxes"].dtype) == f"torch.{data_format['outputs']['pred']['dtype']}"


def test_exports_to_torchscript_with_its_configs(one_tensor, tmp_path):
    bundle = one_tensor
    network = network_of(bundle).eval()
    torch.save(network.state_dict(), tmp_path / "model.pt")
    ckpt_export(
        "network_def",
        filepath=str(tmp_path / "model.ts"),
        ckpt_file=str(tmp_path / "model.pt"),
        meta_file=str(bundle.config("metadata")),
        config_file=str(bundle.config("inference")),
        key_in_ckpt="",
    )
    exported = torch.jit.load(tmp_path / "model.ts")
    io = bundle.metadata["network_data_format"]["inputs"]["image"]
    sides = [eval(s, {"n": 1}) if isinstance(s, str) else s for s in io["spatial_shape"]]
    image = torch.rand(1, io["num_channels"], *sides)
    with torch.inference_mode():
        torch.testing.assert_close(exported(image), network(image))
    stored = load_bundle_config(str(tmp_path / "model.ts"), "metadata.json", "inference.json")
    assert "network_def" in stored.config


def test_train_and_inference_build_the_same_network(bundle):
    assert config(bundle, "train")["network_def"] == config(bundle, "inference")["network_def"]


def test_weights_are_small_safe_and_those_of_the_network(complete):
    assert complete.weights.stat().st_size <= LARGEST_WEIGHTS
    assert complete.metadata["weights_sha256"] == complete.check_weights()
    state = torch.load(complete.weights, map_location="cpu", weights_only=True)
    assert all(torch.isfinite(v).all() for v in state.values() if v.is_floating_point())
    network_of(complete).load_state_dict(state, strict=True)


def test_a_detector_is_evaluated_as_it_predicts(detector):
    inference, evaluate = config(detector, "inference"), config(detector, "train") | config(detector, "evaluate")
    predict, scored = inference["inferer"], evaluate["validate#inferer"]
    predict = predict.get("inferer", predict)  # within the one of several views
    assert (predict["_target_"], predict.get("stride")) == (scored["_target_"], scored.get("stride"))
    assert (inference["tile_shape"], inference["tile_overlap"]) == (evaluate["val_tile"], scored["overlap"])


def test_several_gpus_start_as_one_does(bundle):
    """Imports and initialize of the override replace those of train.json: each must be there again."""
    train, gpus = config(bundle, "train"), config(bundle, "multi_gpu_train")
    assert [line for line in train["imports"] if line not in gpus["imports"] and line != "$import glob"] == []
    lines = {line.replace("@network_def", "@network") for line in gpus["initialize"]}
    assert [line for line in train["initialize"] if line.replace("@network_def", "@network") not in lines] == []
    if "freeze_epochs" in train:  # a frozen encoder has no gradients to wait for
        assert gpus["network"]["find_unused_parameters"] == "$@freeze_epochs > 0"
