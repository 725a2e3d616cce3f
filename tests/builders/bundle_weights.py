"""Gives a bundle made in a test its weights, as a release does."""

import hashlib
import json
from pathlib import Path

import torch
from torch import nn


def ship_weights(root: Path, network: nn.Module) -> None:
    """Write ``models/model.pt`` of a bundle that has no folder of models, and its checksum into the metadata."""
    weights, path = root / "models" / "model.pt", root / "configs" / "metadata.json"
    weights.parent.mkdir()
    torch.save(network.state_dict(), weights)
    metadata = json.loads(path.read_text(encoding="utf-8"))
    metadata["weights_sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    path.write_text(json.dumps(metadata), encoding="utf-8")
