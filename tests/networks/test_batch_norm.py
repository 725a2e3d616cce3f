import copy

import pytest
import torch
from torch import nn
from torch.func import replace_all_batch_norm_modules_
from torch.optim.swa_utils import update_bn

from medseg.networks import BatchNorm


@pytest.mark.parametrize(("own", "shape"), [(nn.BatchNorm2d, (3, 5, 4, 6)), (nn.BatchNorm3d, (2, 5, 3, 4, 2))])
@pytest.mark.parametrize("eps", [1e-5, 1e-3])
def test_equals_pytorch_s(own, shape, eps):
    mine, reference = BatchNorm(5, eps=eps), own(5, eps=eps)
    reference.load_state_dict(mine.state_dict())
    for _ in range(3):
        x = torch.rand(shape)
        torch.testing.assert_close(mine(x), reference(x))
    for key, value in reference.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[key], value)
    torch.testing.assert_close(mine.eval()(x), reference.eval()(x))


@pytest.mark.parametrize("spatial", [(1, 1), (1, 1, 1)])
def test_a_single_value_is_normalised_as_in_evaluation(spatial):
    norm = BatchNorm(4)
    norm(torch.rand(8, 4, *spatial))
    before = copy.deepcopy(norm.state_dict())
    x = torch.rand(1, 4, *spatial, requires_grad=True)
    y = norm(x)
    y.sum().backward()
    assert x.grad.abs().min() > 0
    for key, value in before.items():
        assert torch.equal(norm.state_dict()[key], value)
    torch.testing.assert_close(y, norm.eval()(x))


def test_scripted_in_both_modes():
    norm = BatchNorm(3)
    scripted = torch.jit.script(copy.deepcopy(norm))
    for shape in ((2, 3, 4, 4), (1, 3, 1, 1)):
        x = torch.rand(shape)
        torch.testing.assert_close(scripted(x), norm(x))
    assert scripted.num_batches_tracked == norm.num_batches_tracked == 1


def test_statistics_of_averaged_weights():
    batches = [torch.rand(2, 3, 4, 4) for _ in range(3)]
    mine, reference = nn.Sequential(BatchNorm(3)), nn.Sequential(nn.BatchNorm2d(3))
    update_bn(batches, mine)
    update_bn(batches, reference)
    for key, value in reference.state_dict().items():
        torch.testing.assert_close(mine.state_dict()[key], value)


def test_becomes_synchronised():
    assert isinstance(nn.SyncBatchNorm.convert_sync_batchnorm(BatchNorm(3)), nn.SyncBatchNorm)


@pytest.mark.parametrize("training", [True, False])
def test_without_running_statistics_equals_pytorch_s(training):
    mine = replace_all_batch_norm_modules_(nn.Sequential(BatchNorm(3))).train(training)
    reference = nn.BatchNorm2d(3, track_running_stats=False).train(training)
    x = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(mine(x), reference(x))
    torch.testing.assert_close(torch.jit.script(mine)(x), reference(x))
