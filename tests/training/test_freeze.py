import copy

import pytest
import torch
from ignite.engine import Engine, Events
from monai.engines import SupervisedTrainer
from torch import nn

from medseg.networks import UNet
from medseg.training import FreezeEncoder, parameter_groups


class Small(nn.Module):
    """An encoder with batch normalisation, and a head."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Conv2d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x))


def train(network: nn.Module, freeze_epochs: int, epochs: int, first_epoch: int = 1) -> list[dict]:
    """MONAI's trainer with weight decay; the network's state after each epoch."""
    torch.manual_seed(0)
    data = [{"image": torch.rand(2, 1, 8, 8), "label": torch.rand(2, 1, 8, 8)} for _ in range(2)]
    states: list[dict] = []
    optimizer = torch.optim.AdamW(parameter_groups(network, 1e-2, 0.5), weight_decay=0.1)
    trainer = SupervisedTrainer(
        torch.device("cpu"), epochs, data, network, optimizer, nn.MSELoss(),
        train_handlers=[FreezeEncoder(network, freeze_epochs)], decollate=False,
    )  # fmt: skip
    trainer.logger.setLevel("CRITICAL")
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda _: states.append(copy.deepcopy(network.state_dict())))
    trainer.state.epoch = first_epoch - 1
    trainer.run()
    return states


def changed(before: dict, after: dict) -> set[str]:
    return {k for k in before if not torch.equal(before[k], after[k])}


def test_frozen_then_trained():
    network = Small()
    start = copy.deepcopy(network.state_dict())
    first, second, third, _ = train(network, freeze_epochs=2, epochs=4)
    assert changed(start, first) == changed(first, second) == {"head.weight", "head.bias"}
    # the statistics move again too; a bias in front of a batch normalisation has gradients of rounding only
    assert changed(second, third) >= {"encoder.0.weight", "encoder.1.running_mean", "encoder.1.weight", "head.weight"}


def test_never_frozen_and_frozen_to_the_end():
    network = Small()
    start = copy.deepcopy(network.state_dict())
    assert "encoder.0.weight" in changed(start, train(network, 0, 1)[0])
    start = copy.deepcopy(network.state_dict())
    assert changed(start, train(network, 9, 2)[-1]) == {"head.weight", "head.bias"}
    # afterwards the network is as any other
    assert network.encoder.training
    assert all(p.requires_grad for p in network.parameters())
    network(torch.rand(2, 1, 8, 8))
    assert network.encoder.training
    torch.jit.script(network)


def test_a_resumed_run_knows_where_it_is():
    network = Small()
    start = copy.deepcopy(network.state_dict())
    states = train(network, freeze_epochs=2, epochs=3, first_epoch=2)
    assert changed(start, states[0]) == {"head.weight", "head.bias"}
    assert "encoder.0.weight" in changed(states[0], states[1])


def test_gradients_from_before_are_not_decayed():
    network = Small()
    network(torch.rand(2, 1, 8, 8)).sum().backward()
    handler = FreezeEncoder(network, 1)
    handler.freeze()
    assert all(p.grad is None for p in network.encoder.parameters())
    assert all(p.grad is not None for p in network.head.parameters())


def test_an_error_passes_and_leaves_the_encoder_trainable():
    network = Small()

    def step(engine: Engine, batch: int) -> None:
        raise RuntimeError("full disk")

    engine = Engine(step)
    FreezeEncoder(network, 1).attach(engine)
    with pytest.raises(RuntimeError, match="full disk"):
        engine.run([0])
    assert all(p.requires_grad for p in network.parameters())


def test_refuses():
    with pytest.raises(ValueError, match="UNet has no encoder"):
        FreezeEncoder(UNet(2, 1, 1, channels=(2, 2)), 1)
    with pytest.raises(ValueError, match="negative"):
        FreezeEncoder(Small(), -1)
