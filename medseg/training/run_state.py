"""What a training run leaves behind: resumable checkpoint, best and last weights, history, learning curve."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import nn

from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.io.json_file import write_json
from medseg.training.weights_on_disk import weights_on_disk

_logger = logging.getLogger(__name__)


class RunState:
    """Handler that keeps a run's folder so that it can stop and go on at any time.

    After each epoch it writes, each wholly or not at all:

    - ``checkpoint.pt``: everything in ``save_dict`` and the epoch, to resume from;
    - ``model.pt``: a plain state dict of the network, of the best epoch by ``key_metric`` (of the last epoch
      without a validator);
    - ``history.json``: loss and validation metrics of each epoch;
    - ``learning_curve.png``.

    Args:
        run_dir: folder of the run.
        save_dict: objects with ``state_dict`` and ``load_state_dict``; ``"network"`` must be among them.
        evaluator: the validator; its metrics of the epoch are recorded. Attach after ``EpochValidation``.
        key_metric: name of the metric in ``evaluator.state.metrics`` that decides the best epoch; larger is better
            (an error cannot decide), NaN is no score.
        resume: go on from ``checkpoint.pt`` if there is one.
        weights_dtype: floating dtype of ``model.pt`` on disk (``torch.float16`` halves the file; what would overflow
            is kept as it is).

    Raises:
        InputError: ``run_dir`` holds what would be lost (see :func:`refuse_used_folder`); a checkpoint that cannot be
            read; a ``key_metric`` that the evaluator does not measure.
    """

    def __init__(
        self,
        run_dir: str | Path,
        save_dict: Mapping[str, Any],
        evaluator: Engine | None = None,
        key_metric: str | None = None,
        resume: bool = False,
        weights_dtype: torch.dtype | None = None,
    ) -> None:
        if "network" not in save_dict:
            raise ValueError("save_dict needs the network under the key 'network'")
        self.run_dir, self.save_dict, self.evaluator = Path(run_dir), dict(save_dict), evaluator
        self.key_metric, self.resume, self.weights_dtype = key_metric, resume, weights_dtype
        self.history: list[dict[str, float]] = []
        self.best: float | None = None
        self._loss_sum, self._loss_count = 0.0, 0

    @property
    def checkpoint(self) -> Path:
        """The file to resume from."""
        return self.run_dir / "checkpoint.pt"

    def attach(self, engine: Engine) -> None:
        """Register with the trainer."""
        engine.add_event_handler(Events.STARTED, self.start)
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._add_loss)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.finish_epoch)

    def start(self, engine: Engine) -> None:
        """Load the checkpoint, or make sure that none would be lost."""
        refuse_used_folder(self.run_dir, self.resume)
        if not self.checkpoint.exists():
            return
        try:
            stored = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
            for name, item in self.save_dict.items():
                self._check_length(item, stored["state"][name])
                item.load_state_dict(stored["state"][name])
        except InputError:
            raise
        except (RuntimeError, LookupError, TypeError, ValueError, EOFError, UnpicklingError) as error:
            reason = str(error)
            if "loading state_dict" in reason:  # torch lists every key
                reason = "its network is another one; resume with the bundle and the --set of the run"
            raise InputError(f"{self.checkpoint}: cannot be resumed with this configuration ({reason})") from error
        self.history, self.best = stored["history"], stored["best"]
        engine.state.epoch = stored["epoch"]
        engine.state.iteration = stored["iteration"]
        _logger.info("resuming after epoch %d from %s", stored["epoch"], self.checkpoint)

    def _check_length(self, item: Any, stored: Mapping[str, Any]) -> None:
        """A schedule that was planned for another number of epochs would end, or not, in the middle."""
        for length in ("total_steps", "total_iters", "T_max"):  # of a cycle, a polynomial, a cosine
            planned, asked = stored.get(length), getattr(item, length, None)
            if planned != asked:
                raise InputError(
                    f"{self.checkpoint}: its learning rate was planned for {planned} epochs, not {asked}; resume with "
                    f"--epochs {planned}, or start a new run from its model.pt (--init-weights)"
                )

    def _add_loss(self, engine: Engine) -> None:
        output = engine.state.output  # a list where the trainer decollates its batches
        loss = (output[0] if isinstance(output, list) else output)["loss"]
        self._loss_sum += float(loss.detach() if isinstance(loss, torch.Tensor) else loss)
        self._loss_count += 1

    def finish_epoch(self, engine: Engine) -> None:
        """Record the epoch and write the folder."""
        if idist.get_rank() > 0:  # all processes hold the same state, the first one writes it
            return
        record = {"epoch": engine.state.epoch, "loss": self._loss_sum / max(self._loss_count, 1)}
        self._loss_sum, self._loss_count = 0.0, 0
        metrics = {}
        if self.evaluator is not None and self.evaluator.state.epoch == engine.state.epoch:
            metrics = {k: float(v) for k, v in self.evaluator.state.metrics.items()}
        self.history.append(record | metrics)
        if metrics and self.key_metric and self.key_metric not in metrics:
            raise InputError(
                f"RunState: key_metric {self.key_metric!r} is none of the validation metrics "
                f"({', '.join(metrics)}), so no epoch would be the best one; name one of these"
            )
        score = metrics.get(self.key_metric) if self.key_metric else None
        if score is not None and math.isnan(score):
            score = None  # nothing is larger than NaN: it would stay the best for ever
        is_best = score is not None and (self.best is None or score > self.best)
        if is_best:
            self.best = score
        if is_best or self.best is None:
            network = _unwrapped(self.save_dict["network"])
            self._write("model.pt", weights_on_disk(network.state_dict(), self.weights_dtype))
        state = {name: _detached(item.state_dict()) for name, item in self.save_dict.items()}
        progress = {"epoch": engine.state.epoch, "iteration": engine.state.iteration}
        self._write("checkpoint.pt", {"state": state, "history": self.history, "best": self.best, **progress})
        write_json(self.run_dir / "history.json", self.history, overwrite=True)
        draw_learning_curve(self.history, self.run_dir / "learning_curve.png")

    def _write(self, name: str, content: Any) -> None:
        buffer = io.BytesIO()  # torch, writing by itself, reports a full disk as "iostream error"
        torch.save(content, buffer)
        # not `partial.write_bytes`: if it fails, Python 3.12.1 crashes over the memoryview of a memoryview it leaves
        with atomic_target(self.run_dir / name, overwrite=True) as partial, partial.open("wb") as file:
            file.write(buffer.getbuffer())


def refuse_used_folder(run_dir: Path, resume: bool) -> None:
    """Make sure that a run in the folder loses nothing that is there.

    Raises:
        InputError: it holds a checkpoint and ``resume`` is false, or other files of a run without a checkpoint.
    """
    if (run_dir / "checkpoint.pt").exists():
        if not resume:
            raise InputError(f"{run_dir}: holds a run already; resume it (--resume) or choose another folder")
        return
    for name in ("model.pt", "history.json", "learning_curve.png"):
        if (run_dir / name).exists():
            raise InputError(
                f"{run_dir / name}: exists already and would be replaced, without a checkpoint.pt to resume from "
                "(a run may have ended in its first epoch); choose another folder, or move it away"
            )


def draw_learning_curve(history: list[dict[str, float]], path: Path) -> None:
    """Plot the loss (logarithmic) and the validation metrics of each epoch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="training loss", yscale="log")
    axes.plot([h["epoch"] for h in history], [h["loss"] for h in history], color="tab:gray", label="training loss")
    names = sorted({name for h in history for name in h} - {"epoch", "loss"})
    right = axes.twinx()
    right.set_ylabel("validation")
    for name in names:
        points = [(h["epoch"], h[name]) for h in history if name in h]
        right.plot(*zip(*points, strict=True), marker=".", label=name)
    figure.legend(loc="outside upper center", ncols=3)
    with atomic_target(path, overwrite=True) as partial:
        FigureCanvasAgg(figure).print_png(partial)


def _unwrapped(network: nn.Module) -> nn.Module:
    return getattr(network, "module", network)  # inside (Distributed)DataParallel


def _detached(state: Any) -> Any:
    # optimizers keep nested dictionaries of tensors
    if isinstance(state, torch.Tensor):
        return state.detach().cpu()
    return {k: _detached(v) for k, v in state.items()} if isinstance(state, dict) else state
