"""Every real set at hand converts without a problem."""

import numpy as np
import pytest

from data_tools.catalogue import SETS
from data_tools.convert.build import build_dataset
from data_tools.convert.sets import CONVERTERS
from data_tools.pixels import read_pixels

FOLDERS = {
    "isbi2012_em": ("isbi2012_em", 1),
    "vnc_sstem": ("vnc_sstem", 1),
    "bbbc039": ("nuclei_bbbc039", 44),
    "usiigaci": ("phc_nih3t3_usiigaci", 23),
    "fib_medulla": ("fib_medulla_tiny", 1),
    "ovules_3d": ("ovules_3d", 4),
    "ct_examples": ("ct_examples", 2),
    "openkbp": ("ct_headneck_openkbp", 34),
    "dsb2018": ("nuclei_dsb2018", 500),
}


def test_every_known_set_has_a_converter():
    assert set(CONVERTERS) == set(SETS)


@pytest.mark.parametrize("name", FOLDERS)
def test_converts(name, data_dir, tmp_path):
    folder, count = FOLDERS[name]
    sources = CONVERTERS[name](data_dir / folder)
    assert len(sources) == count
    conversion = build_dataset(tmp_path / name, sources[:5], SETS[name].description)
    assert conversion.problems == ()
    first = conversion.dataset.training[0]
    image, labels = conversion.dataset.path(first.image), conversion.dataset.path(first.label)
    assert labels.exists()
    np.testing.assert_array_equal(read_pixels(image).array, sources[0].read().image)
