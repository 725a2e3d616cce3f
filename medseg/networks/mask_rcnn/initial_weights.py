"""What a detector starts its training from: its own weights, COCO, ImageNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medseg.errors import InputError
from medseg.networks.encoders import load_encoder_weights
from medseg.networks.encoders.checkpoint import read_state
from medseg.networks.encoders.imagenet import download_checked

if TYPE_CHECKING:
    from medseg.networks.mask_rcnn.mask_rcnn import MaskRCNN

# the last eight digits of the name are the first of the file's SHA-256
COCO_URL = "https://download.pytorch.org/models/maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth"


def load_initial_weights(network: MaskRCNN, source: str | Path, cache_dir: Path | None = None) -> list[str]:
    """Fill a detector, in place, from whichever kind of weights a file holds.

    Args:
        network: on any device.
        source: a file: the network's own state dict; torchvision's Mask R-CNN, for a network of its architecture
            (:func:`torchvision_mask_rcnn`); or torchvision's classifier of ImageNet, for the encoder. Or
            ``"coco"`` or ``"imagenet"``, to download the last two (the checksum is verified).
        cache_dir: where downloads are kept; None means the user's cache folder.

    Returns:
        Names of the parameters that kept their initial weights, as far as torchvision's detectors leave some.

    Raises:
        InputError: a file that is missing, unreadable or of another network; a failed download.
    """
    encoder = network.backbone.body
    if source == "imagenet":
        load_encoder_weights(encoder, "imagenet", cache_dir)
        return []
    path = download_checked(COCO_URL, cache_dir) if source == "coco" else Path(source)
    state = read_state(path)
    if encoder.stem_key in state:  # without the detector's prefix: a classifier
        load_encoder_weights(encoder, path)
        return []
    try:
        if any(key.startswith("roi_heads.") for key in state):
            return network.load_torchvision(state)
        network.load_state_dict(state)
    except (ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path}: weights of another network ({reason}). torchvision's detectors need its architecture, "
            "medseg.networks.torchvision_mask_rcnn"
        ) from error
    return []
