"""A bundle's network as one file that runs without medseg: ONNX or TorchScript."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import save_net_with_metadata
from torch import Tensor, nn

from medseg.catalog import Bundle
from medseg.errors import InputError
from medseg.io.atomic import atomic_target
from medseg.workflow.load import load_workflow, quiet_libraries

FORMATS = {"onnx": (".onnx",), "torchscript": (".ts", ".pt")}
TOLERANCE = 1e-4  # of the largest logit, at least of 1
_LARGEST_SIDE = 65536


class ExportError(RuntimeError):
    """The written network does not compute what the bundle's network computes."""


@dataclass(frozen=True)
class Export:
    """What was written: ``difference`` is the largest of any logit, sides are ``first_side + k * stride``."""

    path: Path
    format: str
    level: int | None
    parameters: int
    first_side: int
    stride: int
    difference: float


def export_bundle(
    bundle: Bundle,
    path: Path,
    *,
    format: str | None = None,
    level: int | None = None,
    weights: Path | None = None,
    overrides: dict[str, Any] | None = None,
    overwrite: bool = False,
) -> Export:
    """Write the network of a bundle with its weights, for any batch and image size, and check what was written.

    The file takes an image as the bundle's preprocessing leaves it, ``(B, C, *spatial)`` float32 with sides that
    pool without remainder, and returns logits. Both formats carry the bundle's metadata.

    Args:
        bundle: the bundle.
        path: the file to write.
        format: ``"onnx"`` or ``"torchscript"``; None takes it from the suffix (``.onnx``; ``.ts`` or ``.pt``).
        level: prune to this level first, see :meth:`medseg.networks.UNetPlusPlus.pruned`.
        weights: a state dict to use in place of the bundle's.
        overrides: values for keys of its ``inference.json``.
        overwrite: replace the file if it exists.

    Raises:
        InputError: an unknown format, a file that exists, a level the network does not have, packages that are
            missing, a network whose sizes are not known.
        ExportError: outputs differ by more than 1e-4; nothing is written.
    """
    format = _format(path, format)
    if bundle.metadata["network_data_format"]["outputs"].get("pred", {}).get("type") == "object":
        raise InputError(
            f"{bundle.name}: detects objects; how many, and which suppress each other, depends on the image: "
            "neither ONNX nor TorchScript can hold that. Run it with medseg, or export a bundle of pixel classes"
        )
    if path.exists() and not overwrite:
        raise InputError(f"{path}: exists already; choose another name or allow overwriting (--overwrite)")
    network = _network(bundle, level, weights or bundle.weights, overrides or {})
    sizes = _Sizes.of(bundle, network)
    facts = {"level": level, "stride": sizes.stride, "first_side": sizes.first, "margin": network.margin}
    with atomic_target(path, overwrite=overwrite) as partial:
        with quiet_libraries():  # the exporters tell of packages not needed here, and of deprecations of their own
            if format == "onnx":
                try:
                    _write_onnx(network, partial, sizes, bundle.metadata, facts)
                except ImportError as error:  # an onnxscript that does not know this torch
                    raise InputError(
                        f"ONNX export does not work with what is installed ({error}): "
                        'pip install --upgrade "medseg[export]"'
                    ) from error
            else:
                _write_torchscript(network, partial, bundle, facts)
        difference = max(_difference(network, partial, format, image) for image in sizes.trials())
        if not difference <= TOLERANCE:
            raise ExportError(f"{path}: not written, its outputs differ from the network's by {difference:.1e}")
    parameters = sum(p.numel() for p in network.parameters())
    return Export(path, format, level, parameters, sizes.first, sizes.stride, difference)


@dataclass(frozen=True)
class _Sizes:
    """Images that the network takes: sides of ``first + k * stride`` pixels."""

    channels: int
    dims: int
    first: int
    stride: int

    @classmethod
    def of(cls, bundle: Bundle, network: nn.Module) -> _Sizes:
        if not all(hasattr(network, name) for name in ("valid_size", "stride", "margin")):
            raise InputError(
                f"{bundle.name}: its {type(network).__name__} does not say which image sizes it takes (valid_size, "
                "stride, margin); export one size with `python -m monai.bundle ckpt_export` or `onnx_export`"
            )
        return cls(network.in_channels, bundle.dimensions, network.valid_size(1), network.stride)

    def image(self, batch: int, *steps: int) -> Tensor:
        sides = [self.first + self.stride * steps[axis % len(steps)] for axis in range(self.dims)]
        return torch.rand(batch, self.channels, *sides, generator=torch.Generator().manual_seed(0))

    def trials(self) -> Iterator[Tensor]:
        yield self.image(1, 1)
        yield self.image(2, 2, 1)

    def free_axes(self) -> dict[int, Any]:
        """The axes that stay free in an exported graph, with what their sizes must be."""
        offset = self.first % self.stride
        free: dict[int, Any] = {0: torch.export.Dim("batch")}
        for axis in range(self.dims):
            steps = torch.export.Dim(f"n{axis}", min=self.first // self.stride, max=_LARGEST_SIDE // self.stride)
            free[axis + 2] = self.stride * steps + offset if offset else self.stride * steps
        return free


def _format(path: Path, format: str | None) -> str:
    if format is None:
        matching = [name for name, suffixes in FORMATS.items() if path.suffix.lower() in suffixes]
        if not matching:
            raise InputError(f"{path}: its suffix names no format; end it in .onnx or .ts, or give --format")
        format = matching[0]
    if format not in FORMATS:
        raise InputError(f"--format {format}: give one of {', '.join(FORMATS)}")
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if format == "onnx" and missing:
        raise InputError(f'ONNX needs {", ".join(missing)}: pip install "medseg[export]"')
    return format


def _network(bundle: Bundle, level: int | None, weights: Path, overrides: dict[str, Any]) -> nn.Module:
    overrides = overrides | {"weights": str(weights), "device": torch.device("cpu")}
    if level is not None:
        if "level" not in bundle.settings("inference"):
            raise InputError(f"{bundle.name}: its network has no levels to prune to; leave --level out")
        overrides["level"] = level
    workflow = load_workflow(bundle, "inference", overrides, datalist=[{"image": ""}])
    return workflow.parser.get_parsed_content("network").eval()


def _write_onnx(network: nn.Module, path: Path, sizes: _Sizes, metadata: dict, facts: dict) -> None:
    program = torch.onnx.export(
        network,
        (sizes.image(2, 3, 2),),  # small sides, of which some networks make one pixel, would be taken for fixed ones
        dynamo=True,
        dynamic_shapes=(sizes.free_axes(),),
        input_names=["image"],
        output_names=["logits"],
        verbose=False,
    )
    program.model.metadata_props.update({"medseg": json.dumps(facts), "monai_metadata": json.dumps(metadata)})
    program.save(str(path), external_data=False)


def _write_torchscript(network: nn.Module, path: Path, bundle: Bundle, facts: dict) -> None:
    config = bundle.config("inference").read_bytes()  # as MONAI's own ckpt_export, which MONAI Deploy reads
    meta = bundle.metadata | {"medseg": facts}
    buffer = io.BytesIO()  # by itself, TorchScript opens no path with umlauts on Windows
    save_net_with_metadata(
        torch.jit.script(network), buffer, meta_values=meta, more_extra_files={"inference.json": config}
    )
    path.write_bytes(buffer.getbuffer())


def _difference(network: nn.Module, path: Path, format: str, image: Tensor) -> float:
    with torch.inference_mode():
        expected = network(image).numpy()
        if format == "onnx":
            import onnxruntime

            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
            found = session.run(None, {"image": image.numpy()})[0]
        else:
            found = torch.jit.load(io.BytesIO(path.read_bytes()))(image).numpy()
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
