import hashlib
import io
import re

import pytest
import torch

from medseg.errors import InputError
from medseg.networks.encoders import ENCODER_NAMES, IMAGENET_URLS, load_encoder_weights, make_encoder
from medseg.networks.encoders.imagenet import download_checked, download_imagenet


def test_every_torchvision_encoder_has_its_url():
    assert set(IMAGENET_URLS) == set(ENCODER_NAMES) - {"xception65"}
    for name, url in IMAGENET_URLS.items():
        assert re.fullmatch(rf"https://download\.pytorch\.org/models/{name}-[0-9a-f]{{8}}\.pth", url)


def test_downloads_once_and_loads(server, tmp_path, monkeypatch):
    source = make_encoder("resnet18", 2, 3)
    buffer = io.BytesIO()
    torch.save(source.state_dict() | {"fc.weight": torch.zeros(2, 2)}, buffer)
    name = f"resnet18-{hashlib.sha256(buffer.getvalue()).hexdigest()[:8]}.pth"
    server.files[name] = buffer.getvalue()
    monkeypatch.setitem(IMAGENET_URLS, "resnet18", server.url + name)
    for _ in range(2):
        target = make_encoder("resnet18", 2, 3)
        load_encoder_weights(target, "imagenet", cache_dir=tmp_path)
        torch.testing.assert_close(target.conv1.weight, source.conv1.weight)
    assert server.requests == [name]
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_damaged_file_is_refused_and_removed(server, tmp_path):
    server.files["resnet18-01234567.pth"] = b"not what the name promises"
    for _ in range(2):
        with pytest.raises(InputError, match=r"damaged .*01234567"):
            download_checked(server.url + "resnet18-01234567.pth", tmp_path)
        assert list(tmp_path.iterdir()) == []
    assert len(server.requests) == 2


def test_missing_on_the_server_or_no_network(server, tmp_path):
    url = server.url + "gone-01234567.pth"
    with pytest.raises(InputError, match=r"cannot be downloaded .*HTTPError.*name the file"):
        download_checked(url, tmp_path)
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match=r"cannot be downloaded .*without a network"):
        download_checked(url, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refuses_names_without_checksum_and_unknown_encoders(tmp_path):
    with pytest.raises(InputError, match="no checksum"):
        download_checked("http://127.0.0.1/weights.pth", tmp_path)
    with pytest.raises(InputError, match="no ImageNet weights of 'xception65'"):
        download_imagenet("xception65", tmp_path)
