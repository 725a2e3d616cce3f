"""The stored detectors, and boxes in the order of their axes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fill_weights import checksum, fill_state, synth_image

from medseg.networks.mask_rcnn import DetectionSettings, ProposalSettings, torchvision_mask_rcnn


def to_yx(boxes) -> torch.Tensor:
    """Boxes x1, y1, x2, y2 as y1, x1, y2, x2."""
    return torch.as_tensor(np.ascontiguousarray(np.asarray(boxes)[..., [1, 0, 3, 2]]))


@pytest.fixture(scope="session")
def yx():
    return to_yx


@pytest.fixture(scope="session")
def parts(arch_oracle):
    stored = np.load(arch_oracle / "maskrcnn_parts.npz")
    return SimpleNamespace(arrays=stored, meta=json.loads(str(stored["meta"])))


@pytest.fixture(scope="session")
def stored_net(arch_oracle):
    """Read a stored detector: its settings, state dictionary, images, targets and results."""

    def read(case: str, arch: str) -> SimpleNamespace:
        stored = np.load(arch_oracle / f"{case}.npz")
        meta = json.loads(str(stored["meta"]))
        keys = json.loads((arch_oracle / "keys_maskrcnn.json").read_text())[arch]["keys"]
        images = []
        for facts in meta["images"]:
            image = synth_image(facts["name"], facts["shape"], blobs=facts["blobs"], clip01=True)
            assert checksum(image) == facts["crc32"]
            images.append(torch.from_numpy(image))
        targets = [
            {
                "boxes": to_yx(stored[f"target{i}_boxes"]),
                "labels": torch.from_numpy(stored[f"target{i}_labels"]),
                "masks": torch.from_numpy(unpack(stored[f"target{i}_mask_bits"], image.shape[-1])),
            }
            for i, image in enumerate(images)
        ]
        state = fill_state(keys, meta["salt"], meta["adjust"])
        return SimpleNamespace(
            arrays=stored,
            meta=meta,
            images=images,
            targets=targets,
            state={k: torch.from_numpy(v) for k, v in state.items()},
        )

    return read


@pytest.fixture(scope="session")
def build_net():
    """The network that a stored detector's settings describe."""

    def build(meta: dict, backbone: str, norm: str):
        given = meta["kwargs"]
        everything = 10**6
        return torchvision_mask_rcnn(
            backbone,
            meta["num_classes"],
            given["min_size"],
            given["max_size"],
            norm=norm,
            proposals=ProposalSettings(
                per_level=given["rpn_pre_nms_top_n_test"],
                per_level_training=given["rpn_pre_nms_top_n_train"],
                per_image=given["rpn_post_nms_top_n_test"],
                per_image_training=given["rpn_post_nms_top_n_train"],
                sampled=everything,
            ),
            detections=DetectionSettings(
                per_image=given["box_detections_per_img"],
                score_threshold=given["box_score_thresh"],
                sampled=everything,
            ),
        )

    return build


def unpack(bits: np.ndarray, width: int) -> np.ndarray:
    """Masks ``(N, Y, X)`` from bits packed along X."""
    return np.unpackbits(bits, axis=-1)[..., :width]


@pytest.fixture(scope="session")
def unpack_masks():
    return unpack
