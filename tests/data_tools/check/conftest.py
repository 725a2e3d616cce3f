import pytest
from checked_folder import SAMPLES

from medseg.io import write_image, write_labels


@pytest.fixture
def folder(tmp_path):
    for number, sample in enumerate(SAMPLES):
        write_image(tmp_path / f"images/{number}.tif", sample.image)
        write_labels(tmp_path / f"labels/{number}.tif", sample.labels)
    return tmp_path
