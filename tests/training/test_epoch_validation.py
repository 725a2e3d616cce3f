import pytest
import torch
from ignite.engine import Engine
from monai.engines import SupervisedEvaluator

from medseg.training import EpochValidation


@pytest.mark.parametrize(
    ("interval", "epochs", "expected"), [(2, 5, [2, 4, 5]), (2, 4, [2, 4]), (7, 3, [3]), (1, 2, [1, 2])]
)
def test_every_few_epochs_and_the_last(interval, epochs, expected):
    validator = SupervisedEvaluator(torch.device("cpu"), [], torch.nn.Identity(), epoch_length=0)
    seen = []
    validator.run = seen.append
    trainer = Engine(lambda *_: None)
    EpochValidation(validator, interval).attach(trainer)
    trainer.run([0], max_epochs=epochs)
    assert seen == expected
