"""A pruned U-Net++ is a smaller one that computes one head of the whole."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medseg.errors import InputError
from medseg.networks import UNetPlusPlus


@given(
    depth=st.integers(1, 4),
    dims=st.sampled_from([2, 2, 3]),
    seed=st.integers(0, 2**31),
    norm=st.sampled_from([None, "batch", ("group", {"num_groups": 1})]),
    upsample=st.sampled_from(["transposed", "bilinear"]),
    concat=st.sampled_from(["skips_first", "up_first"]),
    dropout=st.sampled_from([0.0, 0.3]),
)
@settings(max_examples=25)
def test_pruned_is_that_head_bit_for_bit(depth, dims, seed, norm, upsample, concat, dropout):
    torch.manual_seed(seed)
    batch, ins, outs, *channels = torch.randint(1, 7, (4 + depth,)).tolist()
    options = {"norm": norm, "upsample": upsample, "concat": concat, "dropout": dropout}
    network = UNetPlusPlus(dims, ins, outs, channels=channels, **options)
    # normalisations refuse a bottom of one pixel
    sides = [network.stride * k for k in (2, *torch.randint(1, 3, (dims - 1,)).tolist())]
    image = torch.randn(min(batch, 2), ins, *sides)
    with torch.inference_mode():
        network.train()(image)  # running statistics that are not the initial ones
        state = network.eval().state_dict()
        network.training = True  # heads as in training, layers as in evaluation
        heads = dict(zip(reversed(network.levels), network(image), strict=True))
        network.training = False
        assert torch.equal(network(image), heads[network.depth])
        for level in network.levels:
            small = network.pruned(level)
            assert torch.equal(small(image), heads[level])
            assert (small.depth, small.stride, small.levels) == (level, 2**level, [level])
            for key, tensor in small.state_dict().items():
                assert torch.equal(tensor, state[key])
            assert {int(k.split(".")[1]) for k in small.state_dict() if k.startswith("encoders")} == set(
                range(level + 1)
            )
            nodes = {k.split(".")[1] for k in small.state_dict() if k.startswith("nodes")}
            assert nodes == {f"{i}_{j}" for j in range(1, level + 1) for i in range(level + 1 - j)}


def test_pruned_is_a_copy_that_trains_saves_and_prunes_again(tmp_path):
    network = UNetPlusPlus(2, 1, 1, channels=(4, 6, 8, 10))
    small, image = network.pruned(2), torch.rand(2, 1, 12, 16)
    assert small.training
    small(image).mean().backward()
    assert all(p.grad is None for p in network.parameters())
    assert all(p.grad is not None for p in small.parameters())
    torch.save(small.state_dict(), tmp_path / "w.pt")
    made = UNetPlusPlus(2, 1, 1, channels=(4, 6, 8), deep_supervision=False)
    made.load_state_dict(torch.load(tmp_path / "w.pt", weights_only=True))
    assert torch.equal(made.eval()(image), small.eval()(image))
    assert torch.equal(small.pruned(2)(image), small(image))
    with pytest.raises(InputError, match="from 1 to 2"):
        small.pruned(3)
    with pytest.raises(InputError, match="only its head 2 is trained"):
        small.pruned(1)


@pytest.mark.parametrize("level", [0, 4, -1, 2.0, True, "2"])
def test_refuses_levels_that_are_none(level):
    with pytest.raises(InputError, match="a level from 1 to 3"):
        UNetPlusPlus(2, 1, 1, channels=(2, 2, 2, 2)).pruned(level)


def test_refuses_to_prune_to_an_untrained_head(count_parameters):
    network = UNetPlusPlus(2, 1, 1, channels=(2, 2, 2), deep_supervision=False)
    assert isinstance(network(torch.zeros(1, 1, 4, 4)), torch.Tensor)
    assert count_parameters(network.pruned(2)) == count_parameters(network)
    with pytest.raises(InputError, match="without deep supervision"):
        network.pruned(1)
