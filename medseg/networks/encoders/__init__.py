"""Networks that turn an image into feature maps of several strides, 2D and 3D from one class each."""

from medseg.networks.encoders.checkpoint import adapt_input_channels, load_encoder_weights
from medseg.networks.encoders.imagenet import IMAGENET_MEAN, IMAGENET_STD, IMAGENET_URLS
from medseg.networks.encoders.mobilenet_v2 import MobileNetV2Encoder
from medseg.networks.encoders.registry import ENCODER_NAMES, make_encoder
from medseg.networks.encoders.resnet import ResNetEncoder
from medseg.networks.encoders.vgg import VGGEncoder
from medseg.networks.encoders.xception import XceptionEncoder

__all__ = [
    "ENCODER_NAMES",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "IMAGENET_URLS",
    "MobileNetV2Encoder",
    "ResNetEncoder",
    "VGGEncoder",
    "XceptionEncoder",
    "adapt_input_channels",
    "load_encoder_weights",
    "make_encoder",
]
