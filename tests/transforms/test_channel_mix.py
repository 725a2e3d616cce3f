import numpy as np
import pytest
import torch

from medseg.errors import InputError
from medseg.transforms import RandChannelMix, RandChannelMixd, channel_mix


def draws(count: int = 60, **options):
    """The matrices of many draws, with gains of 1."""
    mix = RandChannelMix(prob=1, invert=0, gain=0, **options).set_random_state(seed=0)
    for _ in range(count):
        mix.randomize(3)
        yield mix.matrix


def test_every_draw_is_an_order_gray_or_one_colour():
    kinds = set()
    for matrix in draws():
        if set(matrix.ravel()) == {0.0, 1.0} and (matrix.sum(0) == 1).all() and (matrix.sum(1) == 1).all():
            kinds.add("order")
        else:
            lit = matrix.sum(1) > 0
            np.testing.assert_allclose(matrix[lit].sum(1), 1)  # gray: weights that sum to 1
            assert (matrix[lit] == matrix[lit][0]).all()
            kinds.add({1: "one colour", 3: "gray"}[lit.sum()])
    assert kinds == {"order", "one colour", "gray"}


def test_gray_images_stay_gray_or_become_one_colour():
    image = torch.rand(1, 6, 6).expand(3, 6, 6)
    mix = RandChannelMix(prob=1, invert=0, gain=0).set_random_state(seed=1)
    for _ in range(20):
        for channel in mix(image):
            assert torch.allclose(channel, image[0]) or not channel.any()


def test_inversion_alone():
    image = torch.rand(3, 4, 4)
    assert torch.equal(RandChannelMix(prob=0, invert=1)(image), 1 - image)
    assert torch.equal(RandChannelMix(prob=0, invert=0)(image), image)


def test_gains_are_as_large_as_asked():
    mix = RandChannelMix(prob=1, invert=0, gain=0.2).set_random_state(seed=0)
    seen = []
    for _ in range(200):
        mix.randomize(3)
        sums = [row.sum() for row in mix.matrix if row.any()]
        assert len(set(sums)) == len(sums)  # each channel has its own
        seen += sums
    assert 0.8 <= min(seen) < 0.82
    assert 1.18 < max(seen) <= 1.2


def test_one_seed_one_result_for_all_keys():
    data = {"a": torch.rand(3, 4, 4), "b": torch.rand(3, 4, 4)}
    first, second = (RandChannelMixd(("a", "b"), prob=1).set_random_state(seed=7) for _ in range(2))
    for _ in range(5):
        one, two = first(data), second(data)
        assert all(torch.equal(one[key], two[key]) for key in data)
        mix = first.mix
        assert torch.equal(one["b"], mix(data["b"], randomize=False))


def test_keys_agree_when_another_thread_draws_between_them(monkeypatch):
    image = torch.rand(3, 4, 4)
    mix = RandChannelMixd(("a", "b"), prob=1).set_random_state(seed=7)

    def interrupted(*args, plain=channel_mix.convert_to_dst_type, **options):
        mix.mix.matrix = None  # another thread leaves its image alone
        return plain(*args, **options)

    monkeypatch.setattr(channel_mix, "convert_to_dst_type", interrupted)
    mixed = mix({"a": image, "b": image})
    assert torch.equal(mixed["a"], mixed["b"])


def test_numbers_that_are_no_probabilities():
    for options in ({"prob": 1.5}, {"invert": -0.1}, {"gain": 1.0}):
        with pytest.raises(InputError, match="RandChannelMix"):
            RandChannelMix(**options)
