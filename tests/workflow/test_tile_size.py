import pytest
from monai.inferers import SlidingWindowInferer

from medseg.errors import InputError
from medseg.inferers import AutocastInferer, OverlapTileInferer, RescaledInferer
from medseg.networks import UNet, UNetPlusPlus
from medseg.workflow.tile_size import refuse_tiles_that_do_not_fit

VALID = UNet(2, 1, 1, channels=(1, 1, 1))
SAME = UNet(3, 1, 1, channels=(1, 1, 1), padding="same")


@pytest.mark.parametrize(
    ("inferer", "network", "message"),
    [
        (RescaledInferer(OverlapTileInferer((100, 40)), 0.5), VALID, "tiles of 100,40 pixels are too small"),
        (AutocastInferer(False, SlidingWindowInferer((16, 18, 20))), SAME, "no tiles of 16,18,20 .*: give 16,20,20$"),
    ],
)
def test_refused(inferer, network, message):
    with pytest.raises(InputError, match=f"^some_bundle: .*{message}"):
        refuse_tiles_that_do_not_fit("some_bundle", inferer, network)


@pytest.mark.parametrize(
    ("inferer", "network"),
    [
        (OverlapTileInferer((VALID.valid_size(VALID.stride + 2 * VALID.margin),) * 2), VALID),
        (OverlapTileInferer((48, 48), context=128), UNetPlusPlus(2, 1, 1, channels=(1, 1, 1))),  # images of 48 pixels
        (SlidingWindowInferer((16, 20, 20)), SAME),
        (SlidingWindowInferer((17, 17)), lambda x: x),
        (None, VALID),
    ],
)
def test_taken(inferer, network):
    refuse_tiles_that_do_not_fit("some_bundle", inferer, network)
