import warnings
from types import SimpleNamespace

import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents

from medseg.errors import InputWarning
from medseg.training.nan_guard import NanGuard


def trainer(images, batch_size=1):
    items = [
        {"image": MetaTensor(image, meta={"filename_or_obj": f"cell_{i}.tif"}), "label": torch.zeros(1, 4, 4)}
        for i, image in enumerate(images)
    ]
    network = torch.nn.Conv2d(1, 1, 1)
    return SupervisedTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=DataLoader(Dataset(items), batch_size=batch_size),
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), 0.1),
        loss_function=torch.nn.MSELoss(),
        train_handlers=[NanGuard()],
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_stops_before_the_weights_change_and_names_the_files(bad):
    images = [torch.rand(1, 4, 4) for _ in range(6)]
    images[3][0, 1, 1] = bad
    engine = trainer(images, batch_size=2)
    with pytest.raises(FloatingPointError, match=r"iteration 2, .*cell_2\.tif, cell_3\.tif\."):
        engine.run()
    assert all(torch.isfinite(p).all() for p in engine.network.parameters())


def test_sound_training_runs_through():
    engine = trainer([torch.rand(1, 4, 4) for _ in range(3)])
    engine.run()
    assert engine.state.iteration == 3


def test_plain_tensors_are_said_to_be_unnamed():
    engine = trainer([torch.full((1, 4, 4), float("nan"))])
    engine.data_loader = DataLoader([{"image": torch.full((1, 4, 4), float("nan")), "label": torch.zeros(1, 4, 4)}])
    engine.state.dataloader = engine.data_loader
    with pytest.raises(FloatingPointError, match="not known"):
        engine.run()


class _BadGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * float("nan")


class _Overflows(torch.nn.Conv2d):
    """Its loss is sound, the gradients of its first ``times`` passes are not."""

    times = 1

    def forward(self, x):
        y = super().forward(x)
        self.times -= 1
        return _BadGradient.apply(y) if self.times >= 0 else y


def test_a_step_of_bad_gradients_changes_no_weight():
    engine = trainer([torch.rand(1, 4, 4) for _ in range(2)])
    network = _Overflows(1, 1, 1)
    engine.network, engine.optimizer = network, torch.optim.SGD(network.parameters(), 0.1)
    before, seen = network.weight.detach().clone(), []
    engine.add_event_handler(IterationEvents.MODEL_COMPLETED, lambda: seen.append(network.weight.detach().clone()))
    with pytest.warns(InputWarning, match="epoch 1, iteration 1: no weight was changed"):
        engine.run()
    assert torch.equal(seen[0], before)
    assert torch.isfinite(network.weight).all()
    assert not torch.equal(network.weight, before), "the second step is sound"


@pytest.mark.filterwarnings("ignore:The gradients")
def test_many_steps_of_bad_gradients_stop_the_training():
    engine = trainer([torch.rand(1, 4, 4) for _ in range(30)])
    network = _Overflows(1, 1, 1)
    network.times = 30
    engine.network, engine.optimizer = network, torch.optim.SGD(network.parameters(), 0.1)
    with pytest.raises(FloatingPointError, match="20 times in a row, last in epoch 1, iteration 20"):
        engine.run()


def after_backward(gradient, amp=False):
    """An engine whose network has one frozen parameter and this gradient at the other."""
    network = torch.nn.Conv2d(1, 1, 1)
    network.bias.requires_grad_(False)
    network.weight.grad = torch.full_like(network.weight, gradient)
    return SimpleNamespace(network=network, amp=amp, state=SimpleNamespace(epoch=1, iteration=1))


@pytest.mark.filterwarnings("ignore:The gradients")
def test_a_sound_step_begins_the_count_anew():
    guard = NanGuard()
    for gradient in ([float("nan")] * 19 + [1.0]) * 2:
        guard.check_gradients(after_backward(gradient))


def test_bad_gradients_under_amp_are_left_to_its_scaler():
    engine = after_backward(float("inf"), amp=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NanGuard().check_gradients(engine)
    assert engine.network.weight.grad.isinf().all()


@pytest.mark.parametrize("keys", ["image", ("image", "label")])
def test_one_key_or_several_name_a_file_once(keys):
    image = MetaTensor(torch.zeros(1, 4, 4), meta={"filename_or_obj": "a.tif"})
    state = SimpleNamespace(output={"loss": float("nan")}, batch={"image": image, "label": image}, epoch=1, iteration=1)
    with pytest.raises(FloatingPointError, match=r"Files of the batch: a\.tif\. Look"):
        NanGuard(keys)(SimpleNamespace(state=state))
