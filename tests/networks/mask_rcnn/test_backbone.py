import json

import numpy as np
import pytest
import torch
from fill_weights import fill_state, synth_image

from medseg.networks.mask_rcnn.backbone import ResNetFPN
from medseg.networks.mask_rcnn.frozen_norm import FrozenBatchNorm


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_body_is_torchvisions(oracle_dir, name):
    stored = np.load(oracle_dir / "arch" / f"encoder_{name}.npz")
    meta = json.loads(str(stored["meta"]))
    network = ResNetFPN(2, 3, name, norm="frozen").double().eval()
    shapes = {k: tuple(v.shape) for k, v in network.body.state_dict().items()}
    state = fill_state(shapes, meta["salt"], meta["adjust"])
    network.body.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
    image = synth_image(meta["input"]["name"], meta["input"]["shape"])
    taps = {}
    for stride, layer in zip((4, 8, 16, 32), ("layer1", "layer2", "layer3", "layer4"), strict=True):
        network.body[layer].register_forward_hook(lambda _m, _i, out, stride=stride: taps.update({stride: out.clone()}))
    with torch.inference_mode():
        network(torch.from_numpy(image)[None].double())
    for stride, tap in taps.items():
        if meta["stats"][str(stride)]["stored"] == "all":
            expected = stored[f"stride{stride}"]
            assert np.abs(tap - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("norm", ["frozen", "batch", ("group", {"num_groups": 8})])
@pytest.mark.parametrize("dims", [2, 3])
def test_pyramid(dims, norm):
    network = ResNetFPN(dims, 2, norm=norm, out_channels=16)
    levels = network(torch.zeros(2, 2, *[64] * dims))
    assert [tuple(level.shape) for level in levels] == [(2, 16, *[n] * dims) for n in (16, 8, 4, 2, 1)]
    kinds = {type(m).__name__ for m in network.body.modules() if "Norm" in type(m).__name__}
    expected = {"frozen": "FrozenBatchNorm", "batch": f"BatchNorm{dims}d"}.get(norm if isinstance(norm, str) else "")
    assert kinds == {expected or "GroupNorm"}


def test_frozen_is_batch_norm_in_evaluation():
    norm = torch.nn.BatchNorm3d(4, eps=0.1).eval()
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.copy_(torch.rand(4))
    frozen = FrozenBatchNorm(4, eps=0.1)
    frozen.load_state_dict(norm.state_dict())
    x = torch.randn(2, 4, 3, 3, 3)
    torch.testing.assert_close(frozen.train()(x), norm(x))
    assert list(frozen.parameters()) == []
    assert frozen(x.bfloat16()).dtype == torch.bfloat16


def test_refuses():
    with pytest.raises(ValueError, match="resnet18, resnet34"):
        ResNetFPN(2, 1, "vgg")
