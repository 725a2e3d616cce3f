"""MONAI's box coder is used as it is: it must keep torchvision's rule."""

import pytest
import torch
from monai.apps.detection.utils.box_coder import BoxCoder


@pytest.mark.parametrize(("name", "weights"), [("rpn", (1.0,) * 4), ("box", (10.0, 10.0, 5.0, 5.0))])
def test_torchvisions_deltas(parts, name, weights):
    anchors, truth, deltas = (torch.from_numpy(parts.arrays[f"coder_{k}"]) for k in ("anchors", "gt", "deltas"))
    coder = BoxCoder(weights)
    encoded = torch.from_numpy(parts.arrays[f"coder_{name}_encoded"])
    torch.testing.assert_close(coder.encode_single(truth, anchors), encoded, rtol=1e-5, atol=1e-5)
    decoded = torch.from_numpy(parts.arrays[f"coder_{name}_decoded"])
    torch.testing.assert_close(coder.decode_single(deltas, anchors), decoded, rtol=1e-5, atol=1e-3)
