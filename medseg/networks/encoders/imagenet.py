"""ImageNet weights of torchvision, downloaded once and checked."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pooch

from medseg.errors import InputError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_SERVER = "https://download.pytorch.org/models/"
# IMAGENET1K_V1 of each; the last eight digits of a name are the first of its SHA-256
IMAGENET_URLS = {
    "vgg16": _SERVER + "vgg16-397923af.pth",
    "vgg16_bn": _SERVER + "vgg16_bn-6c64b313.pth",
    "resnet18": _SERVER + "resnet18-f37072fd.pth",
    "resnet34": _SERVER + "resnet34-b627a593.pth",
    "resnet50": _SERVER + "resnet50-0676ba61.pth",
    "resnet101": _SERVER + "resnet101-63fe2227.pth",
    "mobilenet_v2": _SERVER + "mobilenet_v2-b0353104.pth",
}


def download_imagenet(name: str, cache_dir: Path | None = None) -> Path:
    """Torchvision's ImageNet checkpoint of an encoder (45 to 530 MB), from the cache if it is there.

    Args:
        name: key of ``IMAGENET_URLS``.
        cache_dir: where it is kept; None means the user's cache folder.

    Raises:
        InputError: no checkpoint is known for the encoder, or :func:`download_checked` fails.
    """
    if name not in IMAGENET_URLS:
        raise InputError(f"no ImageNet weights of {name!r} to download (there are {', '.join(IMAGENET_URLS)})")
    return download_checked(IMAGENET_URLS[name], cache_dir)


def download_checked(url: str, cache_dir: Path | None = None) -> Path:
    """A file whose name ends in the first eight digits of its SHA-256, as ``name-0123abcd.pth``.

    Raises:
        InputError: no network, the server refuses, or the content is not what the name promises (the file is
            then removed).
    """
    name = url.rsplit("/", 1)[-1]
    promised = re.search(r"-([0-9a-f]{8,64})\.\w+$", name)
    if promised is None:
        raise InputError(f"{url}: its name holds no checksum")
    folder = Path(cache_dir) if cache_dir is not None else pooch.os_cache("medseg") / "encoders"
    pooch.get_logger().setLevel(logging.ERROR)
    try:
        # pooch renames the file into place once it is whole; the whole checksum is not published
        path = Path(pooch.retrieve(url, known_hash=None, fname=name, path=folder))
    except (OSError, ValueError) as error:  # the errors of requests are OSErrors
        raise InputError(
            f"{url}: cannot be downloaded to {folder} ({type(error).__name__}); without a network, download it "
            "elsewhere and name the file instead"
        ) from error
    found = pooch.file_hash(path)
    if not found.startswith(promised[1]):
        path.unlink()
        raise InputError(f"{url}: damaged (SHA-256 {found[:8]}..., its name says {promised[1]}); try again")
    return path
