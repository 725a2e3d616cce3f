"""Run a bundle's `inference.json` one image at a time, so that a bad file does not stop the others."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from monai.utils import set_determinism

from medseg.catalog import Bundle
from medseg.errors import InputWarning
from medseg.io import image_stem
from medseg.workflow.inputs import RESULT_SUFFIXES, result_path
from medseg.workflow.load import errors_told_once, load_workflow, root_cause
from medseg.workflow.side_pairs import refuse_pairs_of_other_labels
from medseg.workflow.tile_size import refuse_tiles_that_do_not_fit


@dataclass
class PredictionResult:
    """What became of one input file."""

    input: str
    status: str = "ok"
    error: str | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    objects: int | None = None
    seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """Warnings about the file itself, which every user should read."""


class Predictor:
    """A bundle's inference workflow with its network loaded, ready for one file after the other.

    Everything comes from the bundle's config: what ``python -m monai.bundle run`` does for a folder, this does
    for one file, with the same objects.

    Args:
        bundle: the bundle.
        output_dir: where its config writes results.
        overrides: values for keys of its ``inference.json``; keys that the config lacks are refused.
        progress: called with (tiles done, tiles in all) where the bundle's inferer reports them.

    Raises:
        InputError: an unknown key, weights that do not fit the network or cannot be read, another
            number of classes while the bundle's ``side_pairs`` hold, tiles that fit no image.
    """

    def __init__(
        self,
        bundle: Bundle,
        output_dir: Path,
        overrides: dict[str, Any],
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.output_dir = output_dir
        workflow = load_workflow(bundle, "inference", overrides, output_dir=str(output_dir), datalist=[{"image": ""}])
        refuse_pairs_of_other_labels(bundle, workflow.parser, overrides)
        self._dataset = workflow.parser.get_parsed_content("dataset")
        self._evaluator = workflow.parser.get_parsed_content("evaluator")
        inferer = workflow.parser.get_parsed_content("inferer")
        refuse_tiles_that_do_not_fit(bundle.name, inferer, workflow.parser.get_parsed_content("network"))
        if hasattr(inferer, "progress"):
            inferer.progress = progress

    def __call__(self, path: Path, stem: str | None = None) -> PredictionResult:
        """Predict one file; errors are in the result, not raised.

        Args:
            path: image, volume or folder of a DICOM series.
            stem: what results are named after; the file's by default.
        """
        stem = stem or image_stem(path)
        result, start = PredictionResult(str(path)), time.perf_counter()
        before = self._stamps(path, stem)
        with warnings.catch_warnings(record=True) as caught, errors_told_once(self._evaluator):
            warnings.simplefilter("default")
            try:
                self._dataset.data = [{"image": str(path), "stem": stem}]
                set_determinism(seed=0)
                self._evaluator.run()
                output = self._evaluator.state.output[0]["pred"]
                result.objects = int((np.unique(output.cpu()) > 0).sum())  # torch's is far slower
                self._evaluator.state.output = None
            except Exception as error:
                result.status, result.error = "failed", root_cause(error)
                # ignite keeps the generator of a run that raised: its next run would return without running
                self._evaluator._internal_run_generator = None
        result.seconds = round(time.perf_counter() - start, 3)
        result.warnings = sorted({str(w.message) for w in caught if not issubclass(w.category, DeprecationWarning)})
        result.notices = sorted({str(w.message) for w in caught if issubclass(w.category, InputWarning)})
        made = {file for file, stamp in self._stamps(path, stem).items() if before.get(file) != stamp}
        if result.status == "ok":  # an overlay of an earlier run may lie there too
            found = existing_outputs(self.output_dir, path, stem)
            result.outputs = {kind: file for kind, file in found.items() if file in made}
        else:
            for file in made:  # what this failed run wrote before it failed would look like a whole result
                Path(file).unlink(missing_ok=True)
        return result

    def _stamps(self, path: Path, stem: str) -> dict[str, tuple[int, int]]:
        outputs = existing_outputs(self.output_dir, path, stem).values()
        return {made: (os.stat(made).st_ino, os.stat(made).st_mtime_ns) for made in outputs}


def existing_outputs(output_dir: Path, path: Path, stem: str) -> dict[str, str]:
    """Result files that exist for an input, by kind."""
    targets = {kind: result_path(output_dir, path, kind, stem) for kind in RESULT_SUFFIXES}
    return {kind: str(target) for kind, target in targets.items() if target.exists()}
