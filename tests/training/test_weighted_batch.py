import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset

from medseg.errors import InputError
from medseg.training.weighted_batch import PrepareWeightedBatch


def test_monai_trainer_learns_from_weighted_pixels_only():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    items = []
    for _ in range(8):
        image = rng.normal(size=(1, 12, 12)).astype(np.float32)
        label = (image > 0).astype(np.float32)
        weight = np.ones_like(label)
        wrong = rng.random(label.shape) < 0.5  # half of the labels are inverted, and weighted away
        label[wrong], weight[wrong] = 1 - label[wrong], 0
        # a network of unpadded convolutions: labels and weights are cropped to its output
        items.append({"image": image, "label": label[:, 1:-1, 1:-1], "weight": weight[:, 1:-1, 1:-1]})
    config = ConfigParser(
        {
            "network": {"_target_": "torch.nn.Conv2d", "in_channels": 1, "out_channels": 1, "kernel_size": 3},
            "trainer": {
                "_target_": "monai.engines.SupervisedTrainer",
                "device": "cpu",
                "max_epochs": 60,
                "train_data_loader": DataLoader(Dataset(items), batch_size=4),
                "network": "@network",
                "optimizer": "$torch.optim.Adam(@network.parameters(), 0.1)",
                "loss_function": {"_target_": "medseg.losses.PixelWeightedLoss"},
                "prepare_batch": {"_target_": "medseg.training.weighted_batch.PrepareWeightedBatch"},
            },
        }
    )
    trainer = config.get_parsed_content("trainer")
    trainer.run()
    assert trainer.state.output[0]["loss"] < 0.35  # inverted labels would keep it at 0.69
    network = config.get_parsed_content("network")
    right = sum(
        ((network(torch.from_numpy(i["image"])) > 0).numpy() == i["label"])[i["weight"] > 0].mean() for i in items
    )
    assert right / len(items) > 0.97


def test_missing_weights_are_named():
    with pytest.raises(InputError, match="no 'weight', only 'image', 'label'"):
        PrepareWeightedBatch()({"image": torch.zeros(1), "label": torch.zeros(1)})
