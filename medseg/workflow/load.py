"""Build the workflow of a bundle's config: quietly, with overrides that the config knows."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import torch
from ignite.engine import Engine
from monai.bundle import ConfigWorkflow

from medseg.catalog import Bundle
from medseg.errors import InputError

_LONGEST = 400  # a network that does not fit its weights lists every key


def load_workflow(bundle: Bundle, config: str, overrides: dict[str, Any], **own: Any) -> ConfigWorkflow:
    """MONAI's workflow of ``configs/<config>.json``, initialised.

    Args:
        bundle: the bundle.
        config: ``"inference"`` or ``"train"``.
        overrides: values a user set for keys of the config.
        own: values medseg sets.

    Raises:
        InputError: a key that the config lacks (MONAI would take it in silence), text for a number or for true or
            false, or a setup that fails: weights of another network, a data folder that cannot be used.
    """
    path = bundle.config(config)
    _check_settings(bundle, config, overrides)
    try:
        with quiet_libraries():  # MONAI warns that configs run code: this one is ours or the user's
            workflow = ConfigWorkflow(
                config_file=str(path),
                meta_file=str(bundle.root / "configs" / "metadata.json"),
                logging_file=False,
                workflow_type="train" if config == "train" else "infer",
                bundle_root=str(bundle.root),
                **own,
                **overrides,
            )
            workflow.initialize()
    except Exception as error:
        reason = root_cause(error)
        if "loading state_dict" in reason:
            weights = overrides.get("weights") or overrides.get("init_weights")
            reason = (
                f"the weights {weights} are those of another network; where they were trained with --set "
                "network_def::KEY=VALUE, say the same here"
            )
        raise InputError(f"{bundle.name}: cannot be set up: {reason}") from error
    return workflow


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep libraries from warning and logging; errors are raised all the same."""
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(previous)


@contextmanager
def errors_told_once(engine: Engine) -> Iterator[None]:
    """Keep ignite and MONAI's StatsHandler from logging a traceback of each error: whoever asked reports it."""
    loggers = [engine.logger, logging.getLogger("monai.handlers.StatsHandler")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def root_cause(error: BaseException) -> str:
    """The message a person needs of a chain of exceptions: the first cause, with its type if it is not ours."""
    seen = {id(error)}
    while (cause := error.__cause__ or (None if error.__suppress_context__ else error.__context__)) is not None:
        if isinstance(error, InputError) or id(cause) in seen:
            break
        seen.add(id(cause))
        error = cause
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'writing'}: {error.strerror}"
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or "can't allocate memory" in str(error):
        asked = re.search(r"llocate (\d[\d.]* \w+)", str(error))
        wanted = f", {asked[1]} at once" if asked else ""
        return (
            f"needs more memory than there is{wanted}: is the pixel or voxel size right? If it is, use smaller images, "
            "tiles or batches"
        )
    text = f"{type(error).__name__}: {error}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _check_settings(bundle: Bundle, config: str, overrides: dict[str, Any]) -> None:
    defaults, path = bundle.settings(config), bundle.config(config)
    for key, value in overrides.items():
        nested = key.replace("#", "::")
        if nested not in defaults:
            near = [inner for inner in defaults if inner.endswith(f"::{key}")][:3] or get_close_matches(key, defaults)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise InputError(f"{bundle.name}: its {path.name} has no key {key!r} to set{meant} ({path} shows all)")
        default = defaults[nested]
        if isinstance(default, bool | int | float) and isinstance(value, str) and not value.startswith(("$", "@")):
            wanted = "true or false" if isinstance(default, bool) else f"a number such as {default}"
            raise InputError(f"{bundle.name}: {key}={value}: give {wanted}")
