import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import Inferer, SimpleInferer
from torch import nn

from medseg.errors import InputError
from medseg.inferers import OverlapTileInferer, RescaledInferer, TestTimeAugmentationInferer
from medseg.networks import UNet


def smooth(dims: int, channels: int) -> nn.Module:
    """A convolution that every mirror image and quarter turn leaves as it is."""
    conv = {2: nn.Conv2d, 3: nn.Conv3d}[dims](1, channels, 3, padding=1)
    nn.init.constant_(conv.weight, 0.3)
    conv.bias.data = torch.linspace(-1, 1, channels)
    return conv


def directed(channels: int = 2, seed: int = 0) -> nn.Module:
    """A convolution that knows up from down."""
    torch.manual_seed(seed)
    return nn.Conv2d(1, channels, 3, padding=1)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize(
    ("dims", "shape", "symmetries"), [(2, (7, 12), None), (3, (3, 5, 8), None), (3, (2, 6, 6), "dihedral")]
)
def test_a_network_that_is_symmetric_itself_gains_nothing(dims, shape, symmetries, activation):
    network, image = smooth(dims, 3), 30 * torch.rand(2, 1, *shape)
    with torch.inference_mode():
        plain = network(image)
        averaged = TestTimeAugmentationInferer(None, activation, dims, symmetries)(image, network)
    if activation == "softmax":  # logits are known up to a constant
        plain, averaged = plain.log_softmax(1), averaged.log_softmax(1)
    torch.testing.assert_close(averaged, plain, atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_mean_of_probabilities_over_the_eight_views(activation):
    network, image = directed(), torch.randn(1, 1, 5, 9)
    squash = torch.sigmoid if activation == "sigmoid" else lambda logits: logits.softmax(1)
    views = []
    with torch.inference_mode():
        for turns in range(4):
            for mirrored in (False, True):
                view = torch.rot90(image.flip(-1) if mirrored else image, turns, (-2, -1))
                probability = torch.rot90(squash(network(view)), -turns, (-2, -1))
                views.append(probability.flip(-1) if mirrored else probability)
        averaged = TestTimeAugmentationInferer(activation=activation)(image, network)
    torch.testing.assert_close(squash(averaged), torch.stack(views).mean(0))
    assert not torch.allclose(squash(averaged), views[0], atol=1e-2)


@pytest.mark.parametrize(
    ("dims", "symmetries", "count"),
    [(2, None, 8), (2, "flips", 4), (3, None, 8), (3, "dihedral", 16), (3, "sides", 2), (2, "none", 1)],
)
def test_each_symmetry_is_there_once_and_undone(dims, symmetries, count):
    inferer = TestTimeAugmentationInferer(spatial_dims=dims, symmetries=symmetries)
    image = torch.arange(2 * 3 * 4).reshape(1, 1, 2, 3, 4)[(0,) * (3 - dims)]
    seen = [s.apply(image) for s in inferer.symmetries]
    assert torch.equal(seen[0], image)
    assert len({(tuple(v.shape), tuple(v.flatten().tolist())) for v in seen}) == count
    assert all(torch.equal(s.undo(v), image) for s, v in zip(inferer.symmetries, seen, strict=True))


@pytest.mark.parametrize("symmetries", ["none", "flips"])
def test_mean_of_probabilities_over_sizes(symmetries):
    network, image, zooms = directed(), torch.randn(1, 1, 9, 14), (0.5, 1, 1.5)
    with torch.inference_mode():
        sizes = [
            TestTimeAugmentationInferer(RescaledInferer(SimpleInferer(), zoom), symmetries=symmetries)(image, network)
            for zoom in zooms
        ]
        averaged = TestTimeAugmentationInferer(symmetries=symmetries, zooms=zooms)(image, network)
    torch.testing.assert_close(averaged.sigmoid(), torch.stack(sizes).sigmoid().mean(0))
    assert not torch.allclose(averaged, sizes[1], atol=1e-2)
    with torch.inference_mode():
        one = TestTimeAugmentationInferer(symmetries=symmetries, zooms=1.5)(image, network)
    torch.testing.assert_close(one.sigmoid(), sizes[2].sigmoid())


def test_the_mean_turns_with_the_image():
    network, image, tta = directed(), torch.rand(1, 1, 6, 11), TestTimeAugmentationInferer()
    with torch.inference_mode():
        turned = torch.rot90(tta(torch.rot90(image, 1, (-2, -1)), network), -1, (-2, -1))
        torch.testing.assert_close(turned, tta(image, network))


def test_sure_probabilities_stay_sure():
    with torch.inference_mode():
        mean = TestTimeAugmentationInferer()(torch.full((1, 1, 4, 4), 60.0), nn.Identity())
    torch.testing.assert_close(mean, torch.full((1, 1, 4, 4), 60.0))


def test_half_precision_logits_are_averaged_in_single():
    image = torch.randn(1, 1, 6, 6)

    def half(x):
        return (8 * x).to(torch.bfloat16)

    mean = TestTimeAugmentationInferer()(image, half)
    torch.testing.assert_close(mean, half(image).float(), atol=1e-4, rtol=1e-5)


def test_overlap_tile_inside_gives_the_mean_over_whole_images():
    torch.manual_seed(0)
    network = UNet(2, 1, 1, (2, 4)).eval()
    image = torch.rand(1, 1, 3, 41, 50)  # a stack of three sections
    tiled = TestTimeAugmentationInferer(OverlapTileInferer((30, 26)))
    whole = TestTimeAugmentationInferer(OverlapTileInferer((80, 80)))
    with torch.inference_mode():
        torch.testing.assert_close(tiled(image, network), whole(image, network), atol=1e-5, rtol=1e-4)
        assert tiled(image, network).shape == image.shape


def test_disabled_is_the_inferer_inside():
    network, image = directed(), MetaTensor(torch.rand(1, 1, 4, 6), meta={"filename_or_obj": "a.tif"})
    with torch.inference_mode():
        result = TestTimeAugmentationInferer(enabled=False)(image, network)
        torch.testing.assert_close(result, network(image), rtol=0, atol=0)
    assert result.meta["filename_or_obj"] == "a.tif"


def test_progress_runs_once_through_all_views():
    told = []
    inferer = TestTimeAugmentationInferer(OverlapTileInferer((30, 30)))
    inferer.progress = lambda done, count: told.append((done, count))
    with torch.inference_mode():
        inferer(torch.rand(1, 1, 30, 20), UNet(2, 1, 1, (2, 4)).eval())
    count = told[-1][1]
    assert count % 8 == 0
    assert told == [(k, count) for k in range(1, count + 1)]


@pytest.mark.parametrize(
    "options",
    [{"activation": "tanh"}, {"spatial_dims": 1}, {"symmetries": "all"}, {"zooms": [1, -2]}],
    ids=lambda o: next(iter(o)),
)
def test_bad_arguments_are_named(options):
    value = next(iter(options.values()))
    with pytest.raises(ValueError, match=str(value[-1] if isinstance(value, list) else value)):
        TestTimeAugmentationInferer(**options)
    with pytest.raises(ValueError, match="zooms: give at least one"):
        TestTimeAugmentationInferer(zooms=[])


def test_is_an_inferer():
    assert issubclass(TestTimeAugmentationInferer, Inferer)


def test_mirrored_patients_exchange_the_channels_of_their_sides():
    """A network that calls what lies at x < 4 right (1) and the rest left (2), whatever the image."""
    image = torch.zeros(1, 1, 8, 3, 3)

    def network(view):
        right = (torch.arange(8) < 4).float().view(1, 1, 8, 1, 1).expand_as(view)
        return 9 * torch.cat([torch.zeros_like(view), right, 1 - right], 1)

    plain = network(image).softmax(1)
    run = TestTimeAugmentationInferer(None, "softmax", 3, "sides", side_pairs=[[1, 2]])
    torch.testing.assert_close(run(image, network).softmax(1), plain)
    unpaired = TestTimeAugmentationInferer(None, "softmax", 3, "sides")(image, network).softmax(1)
    torch.testing.assert_close(unpaired, (plain + plain[:, [0, 2, 1]]) / 2)


def test_pairs_that_make_no_sense():
    with pytest.raises(ValueError, match="one partner at most"):
        TestTimeAugmentationInferer(spatial_dims=3, symmetries="sides", side_pairs=[[1, 2], [2, 3]])
    with pytest.raises(ValueError, match="no axis from side to side"):
        TestTimeAugmentationInferer(spatial_dims=2, side_pairs=[[1, 2]])


def test_pairs_of_channels_that_the_network_lacks():
    run = TestTimeAugmentationInferer(None, "softmax", 3, "sides", side_pairs=[[2, 3]])
    with pytest.raises(InputError, match=r"side_pairs \[\[2, 3\]\] name channels that the network \(3\) does not have"):
        run(torch.zeros(1, 1, 4, 3, 3), lambda view: view.expand(-1, 3, -1, -1, -1))
