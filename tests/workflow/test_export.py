import json

import numpy as np
import pytest
import torch
from monai.bundle import ckpt_export, onnx_export, verify_net_in_out
from monai.data import load_net_with_metadata

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.networks import UNetPlusPlus
from medseg.workflow import export
from medseg.workflow.export import ExportError, export_bundle

NETWORK = {"spatial_dims": 2, "in_channels": 3, "out_channels": 2, "channels": [4, 6, 8], "norm": "batch"}
CONFIG = {
    "bundle_root": ".",
    "dataset_dir": ".",
    "device": "cpu",
    "weights": "$@bundle_root + '/models/model.pt'",
    "level": None,
    "datalist": [],
    "network_def": {"_target_": "medseg.networks.UNetPlusPlus", **NETWORK},
    "network": "$(@network_def if @level is None else @network_def.pruned(@level)).to(@device)",
    "inferer": {"_target_": "monai.inferers.SimpleInferer"},
    "dataset": {"_target_": "monai.data.Dataset", "data": "@datalist"},
    "evaluator": {
        "_target_": "monai.engines.SupervisedEvaluator",
        "device": "@device",
        "val_data_loader": {"_target_": "monai.data.DataLoader", "dataset": "@dataset"},
        "network": "@network",
        "inferer": "@inferer",
    },
    "initialize": [
        "$@network_def.load_state_dict(torch.load(@weights, map_location='cpu', weights_only=True))",
        "$@evaluator",
    ],
    "run": ["$@evaluator.run()"],
}
TENSOR = {"type": "image", "format": "magnitude", "spatial_shape": ["4*n", "4*n"], "dtype": "float32"}


def write_bundle(root, config):
    (root / "configs").mkdir(parents=True)
    (root / "models").mkdir()
    image, pred = ({**TENSOR, "num_channels": n, "value_range": []} for n in (3, 2))
    metadata = {"version": "0.1.0", "task": "test", "network_data_format": {}}
    metadata["network_data_format"] = {"inputs": {"image": image}, "outputs": {"pred": pred}}
    (root / "configs" / "metadata.json").write_text(json.dumps(metadata))
    (root / "configs" / "inference.json").write_text(json.dumps(config))
    return Bundle(root)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = UNetPlusPlus(**NETWORK)
    network(torch.randn(4, 3, 16, 16))
    return network.eval()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory, network):
    bundle = write_bundle(tmp_path_factory.mktemp("bundle") / "tiny", CONFIG)
    torch.save(network.state_dict(), bundle.weights)
    return bundle


@pytest.fixture
def onnx_packages():
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason=f"ONNX needs {name}: pip install medseg[export]")


@pytest.mark.parametrize("level", [None, 1])
def test_onnx_equals_the_network_at_any_size(bundle, network, level, tmp_path, onnx_packages):
    import onnx
    import onnxruntime

    done = export_bundle(bundle, tmp_path / "net.onnx", level=level)
    expected = network.pruned(level or 2)
    assert (done.format, done.stride) == ("onnx", expected.stride)
    assert done.difference <= 1e-4
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    for batch, height, width in ((1, 4, 4), (1, 40, 12), (3, 12, 64)):
        image = torch.randn(batch, 3, height, width)
        (output,) = session.run(["logits"], {"image": image.numpy()})
        with torch.inference_mode():
            np.testing.assert_allclose(output, expected(image).numpy(), atol=1e-4)
    properties = {p.key: json.loads(p.value) for p in onnx.load(str(done.path)).metadata_props}
    assert properties["medseg"] == {
        "level": level,
        "stride": expected.stride,
        "first_side": done.first_side,
        "margin": 0,
    }
    assert properties["monai_metadata"]["version"] == "0.1.0"
    assert list(tmp_path.iterdir()) == [done.path]


def test_torchscript_goes_where_torch_opens_no_file_by_itself(bundle, tmp_path, monkeypatch):
    """On Windows TorchScript's own files are those whose path is ASCII."""

    def only_streams(function, place):
        def called(*arguments, **kwargs):
            if isinstance(arguments[place], str) and not arguments[place].isascii():
                raise RuntimeError(f"Parent directory of {arguments[place]} does not exist.")
            return function(*arguments, **kwargs)

        return called

    monkeypatch.setattr(torch.jit, "save", only_streams(torch.jit.save, 1))
    monkeypatch.setattr(torch.jit, "load", only_streams(torch.jit.load, 0))
    export_bundle(bundle, tmp_path / "Übung" / "net.ts")
    assert (tmp_path / "Übung" / "net.ts").is_file()


@pytest.mark.parametrize("level", [None, 1, 2])
def test_torchscript_equals_the_network(bundle, network, level, tmp_path):
    done = export_bundle(bundle, tmp_path / "net.ts", level=level)
    expected = network.pruned(level or 2)
    assert done.parameters == sum(p.numel() for p in (expected if level else network).parameters())
    loaded, metadata, extra = load_net_with_metadata(str(done.path), more_extra_files=["inference.json"])
    image = torch.randn(2, 3, 8, 20)
    with torch.inference_mode():
        assert torch.equal(loaded(image), expected(image))
    assert metadata["medseg"]["level"] == level
    assert json.loads(extra["inference.json"])["network_def"] == CONFIG["network_def"]


def test_unpadded_network_keeps_its_margin(tmp_path, onnx_packages):
    definition = {"_target_": "medseg.networks.UNet", "spatial_dims": 2, "in_channels": 3, "out_channels": 2}
    config = {**CONFIG, "network_def": {**definition, "channels": [2, 2]}, "network": "$@network_def.to(@device)"}
    del config["level"]
    bundle = write_bundle(tmp_path / "valid", config)
    torch.save(torch.nn.Module.state_dict(make_unet()), bundle.weights)
    done = export_bundle(bundle, tmp_path / "net.onnx")
    assert (done.first_side, done.stride) == (18, 2)
    with pytest.raises(InputError, match="no levels to prune to"):
        export_bundle(bundle, tmp_path / "level.onnx", level=1)


def make_unet():
    from medseg.networks import UNet

    return UNet(2, 3, 2, channels=(2, 2))


def test_other_weights_and_overwriting(bundle, network, tmp_path):
    with torch.no_grad():
        state = {k: v + 1 if k.startswith("heads") else v for k, v in network.state_dict().items()}
    torch.save(state, tmp_path / "own.pt")
    path = tmp_path / "net.anything"
    export_bundle(bundle, path, format="torchscript", weights=tmp_path / "own.pt")
    image = torch.randn(1, 3, 8, 8)
    assert not torch.allclose(torch.jit.load(str(path))(image), network(image))
    with pytest.raises(InputError, match="exists already"):
        export_bundle(bundle, path, format="torchscript")
    export_bundle(bundle, path, format="torchscript", overwrite=True)
    assert torch.equal(torch.jit.load(str(path))(image), network(image))


def test_what_differs_is_not_written(bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(ExportError, match=r"net\.ts: not written"):
        export_bundle(bundle, tmp_path / "net.ts")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("net.bin", {}, "suffix names no format"),
        ("net.ts", {"format": "tensorrt"}, "one of onnx, torchscript"),
        ("net.ts", {"level": 3}, "a level from 1 to 2"),
        ("net.ts", {"level": 0}, "a level from 1 to 2"),
        ("net.ts", {"overrides": {"no_such_key": 1}}, "no key 'no_such_key'"),
    ],
)
def test_refuses(bundle, tmp_path, name, options, message):
    with pytest.raises(InputError, match=message):
        export_bundle(bundle, tmp_path / name, **options)
    assert not list(tmp_path.iterdir())


def test_refuses_levels_of_a_network_without_deep_supervision(bundle, tmp_path):
    config = {**CONFIG, "network_def": {**CONFIG["network_def"], "deep_supervision": False}}
    plain = write_bundle(tmp_path / "plain", config)
    torch.save(UNetPlusPlus(**NETWORK, deep_supervision=False).state_dict(), plain.weights)
    with pytest.raises(InputError, match="without deep supervision"):
        export_bundle(plain, tmp_path / "net.ts", level=1)


def test_monai_checks_pass(bundle, network, tmp_path):
    config = {"meta_file": str(bundle.config("metadata")), "config_file": str(bundle.config("inference"))}
    verify_net_in_out("network_def", **config, n=4)
    ckpt_export("network_def", filepath=str(tmp_path / "net.ts"), ckpt_file=str(bundle.weights), **config)
    image = torch.randn(1, 3, 16, 16)
    with torch.inference_mode():
        assert torch.equal(torch.jit.load(str(tmp_path / "net.ts"))(image), network(image))


@pytest.mark.skipif(
    torch.__version__ < (2, 9),
    reason="MONAI's own onnx_export knows networks with lists from torch 2.9 on; medseg export always",
)
def test_monais_own_onnx_is_the_same(bundle, network, tmp_path, onnx_packages):
    import onnxruntime

    files = {"meta_file": bundle.config("metadata"), "config_file": bundle.config("inference")}
    files |= {"filepath": tmp_path / "net.onnx", "ckpt_file": bundle.weights}
    onnx_export("network_def", **{name: str(path) for name, path in files.items()}, input_shape=[1, 3, 16, 16])
    image = torch.randn(1, 3, 16, 16)
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    found = session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]
    with torch.inference_mode():
        np.testing.assert_allclose(found, network(image).numpy(), atol=1e-4)


def test_one_wrong_logit_is_enough_to_fail(bundle, tmp_path, monkeypatch):
    real = torch.jit.load

    def spoilt(file):
        def run(image):
            logits = real(file)(image).clone()
            logits.view(-1)[7] += 1
            return logits

        return run

    monkeypatch.setattr(torch.jit, "load", spoilt)
    with pytest.raises(ExportError, match=r"net\.ts: not written, its outputs differ"):
        export_bundle(bundle, tmp_path / "net.ts")
    assert not list(tmp_path.iterdir())
