import json
import shutil

import ignite.distributed as idist
import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, PolynomialLR

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.training import OneCycle, RunState
from medseg.workflow import train as workflow_train
from medseg.workflow.train import run_training

SETTINGS = {"epochs": 4, "patch_size": 204, "val_interval": 2, "device": "cpu", "seed": 5}


def quiet_run(bundle, data, output, **overrides):
    return run_training(Bundle(bundle), data, output, SETTINGS | overrides, *[lambda *_: None] * 3)


def history(run):
    return json.loads((run / "history.json").read_text())


def stop_in(monkeypatch, epoch: int, iteration: int):
    """Make the trainer die in the middle of an epoch, as if the machine had been switched off."""
    real = workflow_train.load_workflow

    def loaded(*args, **kwargs):
        workflow = real(*args, **kwargs)
        trainer = workflow.parser.get_parsed_content("train::trainer")

        def die(engine):
            in_epoch = (engine.state.iteration - 1) % engine.state.epoch_length + 1
            if (engine.state.epoch, in_epoch) == (epoch, iteration):
                raise KeyboardInterrupt

        trainer.add_event_handler(Events.ITERATION_COMPLETED, die)
        return workflow

    monkeypatch.setattr(workflow_train, "load_workflow", loaded)


@pytest.fixture(scope="module")
def unbroken(tiny_bundle, em_folder, tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    assert quiet_run(tiny_bundle, em_folder, run) is None
    return run


def test_what_a_run_leaves(unbroken, tiny_bundle):
    assert {p.name for p in unbroken.iterdir()} == {"checkpoint.pt", "history.json", "learning_curve.png", "model.pt"}
    records = history(unbroken)
    assert [r["epoch"] for r in records] == [1, 2, 3, 4]
    assert ["v_info" in r for r in records] == [False, True, False, True]
    weights = torch.load(unbroken / "model.pt", weights_only=True)
    shipped = torch.load(tiny_bundle / "models" / "model.pt", weights_only=True)
    assert {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in shipped.items()}


@pytest.mark.parametrize(("epoch", "iteration"), [(3, 1), (4, 2)])
def test_a_run_killed_and_resumed_is_the_unbroken_run(
    unbroken, tiny_bundle, em_folder, tmp_path, monkeypatch, epoch, iteration
):
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_in(patch, epoch, iteration)
        with pytest.raises(KeyboardInterrupt):
            quiet_run(tiny_bundle, em_folder, run)
    assert len(history(run)) == epoch - 1
    torch.rand(7)  # the state of the generators outside is another one
    assert quiet_run(tiny_bundle, em_folder, run, resume=True) is None
    assert history(run) == history(unbroken)
    first, second = (torch.load(r / "checkpoint.pt", weights_only=True)["state"]["network"] for r in (run, unbroken))
    assert all(torch.equal(first[k], second[k]) for k in second)
    assert (run / "model.pt").read_bytes() == (unbroken / "model.pt").read_bytes()


def test_another_seed_is_another_run(unbroken, tiny_bundle, em_folder, tmp_path, monkeypatch):
    stop_in(monkeypatch, 2, 1)
    with pytest.raises(KeyboardInterrupt):
        quiet_run(tiny_bundle, em_folder, tmp_path / "run", seed=6)
    assert history(tmp_path / "run")[0] != history(unbroken)[0]


def test_a_finished_run_is_not_lost_and_resuming_it_changes_nothing(unbroken, tiny_bundle, em_folder, tmp_path):
    run = shutil.copytree(unbroken, tmp_path / "run")
    before = history(run)
    with pytest.raises(InputError, match="holds a run already; resume it"):
        quiet_run(tiny_bundle, em_folder, run)
    assert quiet_run(tiny_bundle, em_folder, run, resume=True) is None
    assert history(run) == before


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["model.pt", "history.json", "learning_curve.png"])
def test_files_of_a_run_without_a_checkpoint_are_not_lost(tmp_path, name, resume):
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=rf"{name}: exists already and would be replaced.*another folder"):
        small_run(tmp_path, resume=resume)
    assert (tmp_path / name).read_text() == "precious"


def test_another_number_of_epochs_is_refused(unbroken, tiny_bundle, em_folder, tmp_path):
    run = shutil.copytree(unbroken, tmp_path / "run")
    reason = quiet_run(tiny_bundle, em_folder, run, resume=True, epochs=8)
    assert "planned for 4 epochs, not 8" in reason
    assert history(run) == history(unbroken)


def small_run(folder, scores=(), epochs=3, **options):
    """Epochs of a linear network; ``scores`` are the validator's."""
    torch.manual_seed(0)
    network = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(network.parameters(), 0.1)

    def step(engine, x):
        optimizer.zero_grad()
        loss = network(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return [{"loss": loss}]

    trainer, validator = Engine(step), Engine(lambda *_: None)
    marks = []
    if scores:

        def validate(engine):
            validator.state.epoch = engine.state.epoch
            validator.state.metrics = {"score": scores[engine.state.epoch - 1]}
            marks.append(network.weight.detach().clone())

        trainer.add_event_handler(Events.EPOCH_COMPLETED, validate)
    state = RunState(
        folder, {"network": network, "optimizer": optimizer}, validator, "score" if scores else None, **options
    )
    state.attach(trainer)
    trainer.run([torch.ones(3, 2)] * 2, max_epochs=epochs)
    return network, marks


def test_model_is_the_best_epochs_of_equal_ones_the_firsts(tmp_path):
    _, marks = small_run(tmp_path, scores=(0.3, 0.8, 0.8))
    torch.testing.assert_close(torch.load(tmp_path / "model.pt", weights_only=True)["weight"], marks[1])
    assert [r["score"] for r in history(tmp_path)] == [0.3, 0.8, 0.8]


def test_a_resumed_run_knows_its_best_epoch(tmp_path):
    small_run(tmp_path, scores=(0.8,), epochs=1)
    best = (tmp_path / "model.pt").read_bytes()
    small_run(tmp_path, scores=(0.8, 0.5), epochs=2, resume=True)
    assert [r["score"] for r in history(tmp_path)] == [0.8, 0.5]
    assert (tmp_path / "model.pt").read_bytes() == best
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["iteration"] == 4


def test_the_loss_of_an_epoch_is_the_mean_of_its_own_batches(tmp_path):
    trainer = Engine(lambda engine, loss: {"loss": loss * engine.state.epoch})
    RunState(tmp_path, {"network": nn.DataParallel(nn.Linear(1, 1))}).attach(trainer)
    trainer.run([1.0, 3.0, 8.0], max_epochs=2)
    assert [r["loss"] for r in history(tmp_path)] == [4, 8]
    assert set(torch.load(tmp_path / "model.pt", weights_only=True)) == {"weight", "bias"}  # not "module.weight"


def test_only_the_first_process_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(idist, "get_rank", lambda: 1)
    small_run(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nan_is_no_score(tmp_path):
    _, marks = small_run(tmp_path, scores=(float("nan"), 0.8, 0.5))
    torch.testing.assert_close(torch.load(tmp_path / "model.pt", weights_only=True)["weight"], marks[1])
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["best"] == 0.8


def test_a_key_metric_that_is_not_measured_is_named(tmp_path):
    trainer, validator = Engine(lambda *_: {"loss": 1.0}), Engine(lambda *_: None)
    validator.state.epoch, validator.state.metrics = 1, {"v_rand": 0.5}
    RunState(tmp_path, {"network": nn.Linear(1, 1)}, validator, "vrand").attach(trainer)
    with pytest.raises(InputError, match=r"'vrand' is none of the validation metrics \(v_rand\)"):
        trainer.run([0], max_epochs=1)


@pytest.mark.parametrize(
    "schedule",
    [
        lambda optimizer, epochs: OneCycle(optimizer, 0.1, epochs),
        lambda optimizer, epochs: PolynomialLR(optimizer, epochs),
        lambda optimizer, epochs: CosineAnnealingLR(optimizer, epochs),
    ],
)
def test_a_schedule_of_another_length_is_refused(tmp_path, schedule):
    def run(epochs: int) -> None:
        network = nn.Linear(2, 1)
        scheduler = schedule(torch.optim.Adam(network.parameters(), 0.1), epochs)
        trainer = Engine(lambda *_: {"loss": 1.0})
        RunState(tmp_path, {"network": network, "lr_scheduler": scheduler}, resume=True).attach(trainer)
        trainer.run([0], max_epochs=epochs)

    run(3)
    run(3)
    with pytest.raises(InputError, match="planned for 3 epochs, not 5"):
        run(5)


def test_without_validation_model_is_the_last(tmp_path):
    network, _ = small_run(tmp_path, weights_dtype=torch.float16)
    stored = torch.load(tmp_path / "model.pt", weights_only=True)
    assert stored["weight"].dtype == torch.float16
    torch.testing.assert_close(stored["weight"], network.weight.detach().half())


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x80\x02}q\x00."])
def test_a_damaged_checkpoint(tmp_path, content):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt: cannot be resumed"):
        small_run(tmp_path, resume=True)


def test_a_checkpoint_of_another_network_is_one_line(tmp_path):
    small_run(tmp_path)
    stored = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    stored["state"]["network"] = nn.Linear(5, 5).state_dict()
    torch.save(stored, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"its network is another one; resume with the bundle .*\)$") as caught:
        small_run(tmp_path, resume=True)
    assert "\n" not in str(caught.value)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, no_space_left):
    small_run(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    state |= {"epoch": 2, "iteration": 4}
    torch.save(state, tmp_path / "checkpoint.pt")
    with no_space_left(1000), pytest.raises(OSError, match="File too large"):
        small_run(tmp_path, resume=True)
    assert {p.name for p in tmp_path.iterdir()} == set(before)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["epoch"] == 2


def test_refuses_what_it_cannot_save(tmp_path):
    with pytest.raises(ValueError, match="'network'"):
        RunState(tmp_path, {"net": nn.Linear(1, 1)})
