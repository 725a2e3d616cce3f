import numpy as np
import pytest

from medseg.errors import InputError
from medseg.training import balanced_weights


def items(*kinds: tuple[str, str, int]):
    return [{"stratum": stratum, "group": group} for stratum, group, count in kinds for _ in range(count)]


def test_without_groups_and_strata_all_are_alike():
    np.testing.assert_allclose(balanced_weights(items(("", "", 5))), 0.2)


def test_power_one_is_image_by_image_only_within_what_groups_allow():
    listed = items(("gray", "a", 3), ("gray", "b", 1), ("stained", "c", 4))
    np.testing.assert_allclose(balanced_weights(listed[:4], power=1), 0.25)


def test_power_zero_draws_strata_and_their_groups_equally_often():
    weights = np.array(balanced_weights(items(("gray", "a", 3), ("gray", "b", 1), ("stained", "c", 4)), power=0))
    np.testing.assert_allclose(weights, [1 / 12] * 3 + [1 / 4] + [1 / 8] * 4)


def test_the_square_root_lies_between():
    """Nine groups of one image and one group of four: shares 3 : 1."""
    listed = items(*[("common", f"g{k}", 1) for k in range(9)], ("rare", "r", 4))
    weights = np.array(balanced_weights(listed))
    assert weights.sum() == pytest.approx(1)
    assert weights[9:].sum() == pytest.approx(0.25)
    np.testing.assert_allclose(weights[:9], 0.75 / 9)


def test_the_same_group_name_in_two_strata_is_two_groups():
    weights = balanced_weights(items(("a", "1", 2), ("b", "1", 2)))
    np.testing.assert_allclose(weights, 0.25)


def test_refuses():
    with pytest.raises(InputError, match="0 items"):
        balanced_weights([])
    with pytest.raises(InputError, match="power=2"):
        balanced_weights(items(("", "", 1)), power=2)
