"""Run a bundle's `train.json` in a run folder."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from monai.bundle import ConfigParser

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.io import training_items
from medseg.io.datalist import count_sections
from medseg.io.paths import is_volume
from medseg.training.run_state import refuse_used_folder
from medseg.transforms import CheckClassesd
from medseg.workflow.class_names import named_classes, structures_of
from medseg.workflow.load import errors_told_once, load_workflow, root_cause
from medseg.workflow.network_settings import write_network_settings
from medseg.workflow.side_pairs import refuse_pairs_of_other_labels


def run_training(
    bundle: Bundle,
    data: Path,
    output: Path,
    overrides: dict[str, Any],
    start: Callable[[str], None],
    update: Callable[[int, int], None],
    say: Callable[[str], None],
) -> str | None:
    """Train; the same engine and handlers as ``python -m monai.bundle run`` on the bundle's ``train.json``.

    Args:
        bundle: the bundle.
        data: folder with ``images/`` and ``labels/``.
        output: run folder.
        overrides: values for keys of ``train.json``.
        start, update, say: told which epoch begins, how far it is, and its result.

    Returns:
        What went wrong while training, None if nothing did.

    Raises:
        InputError: an unknown key, a data folder that cannot be used, a run folder that holds files of a run, labels
            that are not the bundle's while its ``side_pairs`` hold, ``structures`` that are no names of the labels.
    """
    refuse_used_folder(output, bool(overrides.get("resume")))
    split = overrides.get("split_file")
    for part in ("training", "validation"):
        training_items(data, part, split_file=split)  # refuses what cannot be used before a network is built
    workflow = load_workflow(bundle, "train", overrides, dataset_dir=str(data), output_dir=str(output), progress=True)
    names = named_classes(split and Path(split), data / "dataset.json")
    if "structures" in bundle.settings("train"):
        names = structures_of(overrides.get("structures"), names, workflow.parser["network_def::out_channels"])
        overrides = overrides | ({"structures": names} if names else {})
    refuse_pairs_of_other_labels(bundle, workflow.parser, overrides, names)
    try:
        trainer = workflow.parser.get_parsed_content("train::trainer")
    except Exception as error:  # MONAI wraps whatever reading the data or building a part raised
        raise InputError(f"{bundle.name}: cannot be set up: {root_cause(error)}") from error
    write_network_settings(output, bundle, overrides)
    say(f"{_taken(trainer, workflow.parser)} from {data}")
    if absent := _classes_without_labels(trainer):
        listed = ", ".join(map(str, absent))
        say(
            f"warning: no label in {data} holds {listed}, which the network will not learn: its out_channels is the "
            "number of organs and one for the background (--set network_def::out_channels=N)"
        )
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda e: start(f"epoch {e.state.epoch}/{e.state.max_epochs}"))
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda e: update((e.state.iteration - 1) % e.state.epoch_length + 1, e.state.epoch_length),
    )
    epochs: list[int] = []
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda e: epochs.append(e.state.epoch))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda e: say(_epoch_line(e, output)))
    try:
        with warnings.catch_warnings(), errors_told_once(trainer):
            warnings.simplefilter("ignore")
            trainer.run()
    except Exception as error:
        return root_cause(error)
    if not epochs:
        say(f"nothing was left to do: the run has had its {trainer.state.max_epochs} epochs")
    return None


def _taken(trainer: Engine, parser: ConfigParser) -> str:
    """How many items the bundle's data sets hold, and what they are: a stack is one volume or many sections."""
    datasets = {"training": trainer.data_loader.dataset}
    if "validate::dataset" in parser:
        datasets["validation"] = parser.get_parsed_content("validate::dataset")
    items = [item for dataset in datasets.values() for item in getattr(dataset, "data", ())]
    if not all(isinstance(item, dict) and {"label", "section"} <= set(item) for item in items):
        what = "items"
    elif any(item["section"] >= 0 for item in items):
        what = "sections"
    else:
        whole = items and (is_volume(items[0]["label"]) or count_sections(items[0]["label"]) > 1)
        what = "volumes" if whole else "images"
    return " and ".join(f"{len(dataset)} {part}" for part, dataset in datasets.items()) + f" {what}"


def _classes_without_labels(trainer: Engine) -> list[int]:
    """Of a data set that has read all its labels already, as MONAI's ``CacheDataset``."""
    transform = getattr(getattr(trainer.data_loader, "dataset", None), "transform", None)
    steps = getattr(transform, "transforms", ())
    return [label for step in steps if isinstance(step, CheckClassesd) for label in step.never_seen()]


def _epoch_line(engine: Engine, output: Path) -> str:
    last = json.loads((output / "history.json").read_text(encoding="utf-8"))[-1]
    values = ", ".join(f"{name} {value:.4f}" for name, value in last.items() if name != "epoch")
    return f"epoch {engine.state.epoch}/{engine.state.max_epochs}: {values}"
