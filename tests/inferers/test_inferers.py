"""What all inferers have in common."""

import pytest
import torch
from monai.inferers import SimpleInferer

from medseg.inferers import (
    AutocastInferer,
    OverlapTileInferer,
    RescaledInferer,
    SliceBySliceInferer,
    TestTimeAugmentationDetectionInferer,
    TestTimeAugmentationInferer,
    TiledDetectionInferer,
)

SECTION, VOLUME = (1, 1, 12, 10), (1, 1, 6, 5, 4)


def as_it_is(image):
    return image


def nothing_found(images):
    return [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0).long(), "scores": torch.zeros(0)}] * len(images)


@pytest.mark.parametrize(
    ("inferer", "shape", "answer"),
    [
        (AutocastInferer(False), SECTION, as_it_is),
        (OverlapTileInferer((8, 8), margin=0, stride=1, valid_size=int, context=1), SECTION, as_it_is),
        (RescaledInferer(SimpleInferer(), 0.5), SECTION, as_it_is),
        (SliceBySliceInferer((0,)), VOLUME, as_it_is),
        (TestTimeAugmentationInferer(), SECTION, as_it_is),
        (TestTimeAugmentationInferer(enabled=False), SECTION, as_it_is),
        (TiledDetectionInferer((48, 48), 16), SECTION, nothing_found),
        (TestTimeAugmentationDetectionInferer(TiledDetectionInferer((48, 48), 16)), SECTION, nothing_found),
    ],
    ids=lambda value: type(value).__name__,
)
def test_further_arguments_go_to_the_network(inferer, shape, answer):
    given = []

    def network(images, *args, **kwargs):
        given.append((args, kwargs))
        return answer(images)

    inferer(torch.rand(shape), network, "first", key="second")
    assert given
    assert all(call == (("first",), {"key": "second"}) for call in given)
