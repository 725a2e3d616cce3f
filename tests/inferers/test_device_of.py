import torch
from torch import nn

from medseg.inferers.device_of import device_of


def test_as_given_else_of_the_parameters_else_of_the_images():
    images = torch.zeros(1)
    assert device_of(nn.Linear(1, 1), images, "meta") == torch.device("meta")
    assert device_of(nn.Linear(1, 1, device="meta"), images) == torch.device("meta")
    assert device_of(nn.ReLU(), images) == device_of(lambda x: x, images) == torch.device("cpu")
