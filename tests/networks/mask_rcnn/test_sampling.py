import pytest
import torch

from medseg.networks.mask_rcnn.sampling import sample_balanced


@pytest.mark.parametrize(
    ("positives", "negatives", "expected"),
    [(100, 100, (8, 24)), (3, 100, (3, 29)), (0, 100, (0, 32)), (100, 5, (8, 5)), (0, 0, (0, 0))],
)
def test_counts(positives, negatives, expected):
    positive = torch.arange(210) < positives
    negative = torch.arange(210) >= 210 - negatives
    drawn = sample_balanced(positive, negative, 32, 0.25)
    assert tuple(map(len, drawn)) == expected
    assert positive[drawn[0]].all()
    assert negative[drawn[1]].all()
    assert all(len(d.unique()) == len(d) for d in drawn)


def test_any_box_may_be_drawn_and_the_seed_decides():
    positive, negative = torch.arange(40) < 20, torch.arange(40) >= 20
    torch.manual_seed(1)
    draws = [torch.cat(sample_balanced(positive, negative, 4, 0.5)).tolist() for _ in range(200)]
    assert {i for draw in draws for i in draw} == set(range(40))
    assert len(sample_balanced(positive, negative, 30, 0.25)[0]) == 7  # at most
    torch.manual_seed(1)
    assert torch.cat(sample_balanced(positive, negative, 4, 0.5)).tolist() == draws[0]
