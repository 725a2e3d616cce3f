import pytest
import torch

from medseg.networks.aspp import ASPP


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("separable", [True, False])
def test_shape_and_order_of_the_branches(dims, separable):
    aspp = ASPP(dims, 12, 8, rates=(1, 2, 3), separable=separable).eval()
    x = torch.rand(2, 12, *(5, 6, 4)[:dims])
    seen = []
    aspp.project.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert aspp(x).shape == (2, 8, *x.shape[2:])
    parts = seen[0].split(8, dim=1)
    mean = x.mean(dim=tuple(range(2, x.dim())), keepdim=True)
    torch.testing.assert_close(parts[0], aspp.image(mean).expand_as(parts[0]))
    for part, branch in zip(parts[1:], aspp.branches, strict=True):
        torch.testing.assert_close(part, branch(x))


def test_reach_of_the_rates():
    """A pixel is seen by the branch of rate r at distances 0 and r only."""
    aspp = ASPP(2, 1, 2, rates=(3,), separable=False).eval()
    x = torch.zeros(1, 1, 15, 15)
    x[0, 0, 7, 7] = 1
    aspp.branches[1][0].weight.data.fill_(1)
    reached = aspp.branches[1](x)[0, 0].nonzero().tolist()
    assert reached == [[i, j] for i in (4, 7, 10) for j in (4, 7, 10)]


def test_image_branch_learns_from_one_image_per_batch():
    aspp = ASPP(2, 3, 4).train()
    aspp(torch.rand(1, 3, 8, 8)).sum().backward()
    assert aspp.image[0].weight.grad is not None


def test_dropout_only_in_training():
    aspp = ASPP(2, 3, 64, dropout=0.5)
    x = torch.rand(2, 3, 8, 8)
    aspp(x)
    assert torch.equal(aspp.eval()(x), aspp(x))
    assert not torch.equal(aspp.train()(x), aspp(x))
