"""Draw docs/figures/demo.png: a synthetic section, the shipped weights' cells, and where they are wrong.

python docs/figures/demo.py [FOLDER of `medseg demo`]
"""

from __future__ import annotations

import sys
from pathlib import Path

import imagecodecs
import numpy as np

from medseg.io import read_image


def main(folder: Path) -> None:
    image, _ = read_image(folder / "images" / "em_section.tif")
    cells, _ = read_image(folder / "results" / "em_section_overlay.png")
    gap = np.full((image.shape[0], 6, 3), 255, np.uint8)
    picture = np.hstack([np.repeat(image[..., None], 3, axis=2), gap, cells])
    Path(__file__).with_name("demo.png").write_bytes(imagecodecs.png_encode(picture))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo"))
