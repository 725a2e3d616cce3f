import pytest
import torch

from medseg.networks import TransferUNet, load_encoder_weights
from medseg.networks.encoders import ENCODER_NAMES

NAMES = [n for n in ENCODER_NAMES if n != "xception65"]
SLIM = {"decoder_channels": (8, 8, 8, 4, 4)}


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn", "resnet18", "mobilenet_v2"])
def test_parameters_are_encoder_plus_decoder(name, count_parameters):
    with torch.device("meta"):
        network = TransferUNet(name, 1, 8)
        rgb = TransferUNet(name, 3, 8)
    stem = network.encoder.state_dict()[network.encoder.stem_key]
    assert count_parameters(rgb) - count_parameters(network) == 2 * stem.numel()
    skips = dict(zip(network.encoder.strides, network.encoder.channels, strict=True))
    decoder, inside = 0, skips[32]
    if name.startswith("vgg"):
        decoder += 2 * (9 * inside * inside + 2 * inside)
    for stride, width in zip((16, 8, 4, 2, 1), (256, 128, 64, 32, 16), strict=True):
        up = 4 * inside * width + width
        first = 9 * (width + skips.get(stride, 0)) * width + 2 * width
        decoder += up + first + 9 * width * width + 2 * width
        inside = width
    decoder += 16 * 8 + 8
    assert count_parameters(network) == count_parameters(network.encoder) + decoder


@pytest.mark.parametrize("name", NAMES)
def test_output_has_the_size_of_the_input(name):
    with torch.device("meta"):
        network = TransferUNet(name, 2, 5)
        assert network(torch.zeros(1, 2, 224, 96)).shape == (1, 5, 224, 96)


@pytest.mark.parametrize(("name", "dims"), [("vgg16", 2), ("vgg16_bn", 2), ("resnet34", 2), ("mobilenet_v2", 3)])
def test_scripts_saves_and_trains(name, dims, tmp_path):
    torch.manual_seed(0)
    network = TransferUNet(name, 1, 3, **SLIM, spatial_dims=dims)
    image = torch.rand(1, 1, 32, *[64] * (dims - 1))
    network(image).square().mean().backward()  # one image whose bottom is a single pixel wide
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    network.eval()
    expected = network(image)
    torch.jit.script(network).save(str(tmp_path / "model.ts"))
    torch.testing.assert_close(torch.jit.load(str(tmp_path / "model.ts"))(image), expected)
    torch.save(network.state_dict(), tmp_path / "model.pt")
    other = TransferUNet(name, 1, 3, **SLIM, spatial_dims=dims).eval()
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    torch.testing.assert_close(other(image), expected)


def test_every_skip_reaches_the_output():
    network = TransferUNet("vgg16", 1, 1, **SLIM).eval()
    features = network.encoder(torch.rand(1, 1, 64, 64))
    leaves = [f.detach().requires_grad_() for f in features]
    network.encoder = _Constant(leaves)
    network(torch.zeros(1, 1, 64, 64)).square().sum().backward()
    assert all(leaf.grad is not None and leaf.grad.abs().sum() > 0 for leaf in leaves)


class _Constant(torch.nn.Module):
    def __init__(self, features: list[torch.Tensor]) -> None:
        super().__init__()
        self.features = features

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return list(self.features)


def test_learns_from_an_encoder_checkpoint(tmp_path):
    """A few steps on one image: the loss falls, and the encoder starts where the file says."""
    source = TransferUNet("resnet18", 3, 1, **SLIM)
    torch.save(source.encoder.state_dict(), tmp_path / "w.pth")
    torch.manual_seed(0)
    network = TransferUNet("resnet18", 1, 1, **SLIM)
    load_encoder_weights(network.encoder, tmp_path / "w.pth")
    torch.testing.assert_close(network.encoder.layer4[0].conv1.weight, source.encoder.layer4[0].conv1.weight)
    image = torch.rand(2, 1, 64, 64)
    target = (image > 0.5).float()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(8):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(network(image), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_sizes_for_inferers():
    with torch.device("meta"):
        network = TransferUNet("mobilenet_v2", 1, 2)
        assert (network.margin, network.stride) == (0, 32)
        assert [network.valid_size(n) for n in (0, 1, 32, 33, 512)] == [32, 32, 32, 64, 512]
        with pytest.raises(ValueError, match="33 pixels is no multiple of 32"):
            network(torch.zeros(1, 1, 32, 33))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": "xception65"}, "no encoder 'xception65'"),
        ({"encoder": "resnet18", "decoder_channels": (8, 8)}, "strides 16 to 1"),
        ({"encoder": "resnet18", "spatial_dims": 4}, "spatial_dims"),
    ],
)
def test_refuses_what_it_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        TransferUNet(**arguments)
