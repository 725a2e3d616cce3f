import pytest

from medseg.networks.encoders.atrous import atrous_plan, check_output_stride

XCEPTION = [2, 2, 2] + [1] * 16 + [2, 1]


def test_xception_at_both_strides():
    at16 = atrous_plan(XCEPTION, 16, start=2)
    assert at16 == [(2, 1)] * 3 + [(1, 1)] * 16 + [(1, 1), (1, 2)]
    at8 = atrous_plan(XCEPTION, 8, start=2)
    assert at8 == [(2, 1), (2, 1), (1, 1)] + [(1, 2)] * 16 + [(1, 2), (1, 4)]


def test_nothing_changes_at_full_stride():
    assert atrous_plan(XCEPTION, 32, start=2) == [(s, 1) for s in XCEPTION]


@pytest.mark.parametrize("stride", [4, 12, 64])
def test_refuses_other_strides(stride):
    with pytest.raises(ValueError, match="8, 16 or 32"):
        check_output_stride(stride, "resnet50")
