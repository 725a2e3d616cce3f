import hashlib
import io
import re

import pytest
import torch

from medseg.errors import InputError
from medseg.networks import make_encoder
from medseg.networks.encoders import IMAGENET_URLS
from medseg.networks.mask_rcnn import (
    MaskRCNN,
    PoolingSettings,
    initial_weights,
    load_initial_weights,
    torchvision_mask_rcnn,
)
from medseg.networks.mask_rcnn.backbone import EncoderFPN


def narrow(**options) -> MaskRCNN:
    return MaskRCNN(2, 3, 2, EncoderFPN(2, 3, out_channels=8, **options), pooling=PoolingSettings(hidden=8))


def content(state) -> bytes:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def test_its_own_weights_in_half_precision(tmp_path):
    source, target = narrow(), narrow()
    state = {k: v.half() if v.is_floating_point() else v for k, v in source.state_dict().items()}
    (tmp_path / "model.pt").write_bytes(content(state))
    assert load_initial_weights(target, tmp_path / "model.pt") == []
    torch.testing.assert_close(target.rpn.head.conv.weight, source.rpn.head.conv.weight, atol=1e-3, rtol=1e-3)


def test_imagenet_fills_a_shortened_encoder(server, tmp_path, monkeypatch):
    source = make_encoder("resnet18", 2, 3)
    data = content(source.state_dict() | {"fc.weight": torch.zeros(2, 2)})
    name = f"resnet18-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    server.files[name] = data
    monkeypatch.setitem(IMAGENET_URLS, "resnet18", server.url + name)
    for target in (narrow(coarsest_stride=16), narrow()):
        load_initial_weights(target, "imagenet", tmp_path)
        assert torch.equal(target.backbone.body.layer3[1].conv2.weight, source.layer3[1].conv2.weight)
        load_initial_weights(target, tmp_path / name)


def test_coco_is_downloaded_and_loaded(server, tmp_path, monkeypatch, stored_net):
    state = stored_net("maskrcnn_r18_c2", "maskrcnn_resnet18_fpn_c2").state
    data = content(state)
    name = f"coco-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    server.files[name] = data
    monkeypatch.setattr(initial_weights, "COCO_URL", server.url + name)
    network = torchvision_mask_rcnn("resnet18", num_classes=3)
    fresh = load_initial_weights(network, "coco", tmp_path)
    assert {key.split(".")[1] for key in fresh} == {"cls_score", "bbox_pred", "mask_fcn_logits"}  # of each class
    assert torch.equal(network.box_head.fc7.weight, state["roi_heads.box_head.fc7.weight"])
    assert torch.equal(network.backbone.body.conv1.weight, state["backbone.body.conv1.weight"])


def test_coco_is_checked_and_refused_by_another_architecture(server, tmp_path, monkeypatch):
    network = torchvision_mask_rcnn("resnet18", num_classes=91)
    assert re.search(r"/maskrcnn_resnet50_fpn_coco-[0-9a-f]{8}\.pth$", initial_weights.COCO_URL)
    data = content({"roi_heads.box_predictor.cls_score.weight": torch.zeros(91, 1024)})
    server.files["coco-00000000.pth"] = data
    monkeypatch.setattr(initial_weights, "COCO_URL", server.url + "coco-00000000.pth")
    with pytest.raises(InputError, match="damaged"):
        load_initial_weights(network, "coco", tmp_path)
    name = f"coco-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    server.files[name] = data
    monkeypatch.setattr(initial_weights, "COCO_URL", server.url + name)
    with pytest.raises(InputError, match="torchvision_mask_rcnn"):
        load_initial_weights(network, "coco", tmp_path)
    assert (tmp_path / name).is_file()


def test_offline(server, tmp_path, monkeypatch):
    monkeypatch.setattr(initial_weights, "COCO_URL", server.url + "gone-00000000.pth")
    with pytest.raises(InputError, match="without a network, download it elsewhere and name the file"):
        load_initial_weights(narrow(), "coco", tmp_path)


def test_refuses_what_is_no_weights_of_it(tmp_path):
    (tmp_path / "other.pt").write_bytes(content({"head.weight": torch.zeros(1)}))
    with pytest.raises(InputError, match=r"other\.pt: weights of another network"):
        load_initial_weights(narrow(), tmp_path / "other.pt")
    with pytest.raises(InputError, match="no such file"):
        load_initial_weights(narrow(), tmp_path / "gone.pt")
