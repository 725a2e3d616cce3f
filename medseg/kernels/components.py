"""Connected components of a binary image, numbered in raster order."""

import numpy as np
from scipy.ndimage import generate_binary_structure, label

_REACH = {(2, 4): 1, (2, 8): 2, (3, 6): 1, (3, 18): 2, (3, 26): 3}


def label_components(foreground: np.ndarray, connectivity: int) -> tuple[np.ndarray, int]:
    """Label the connected components of a binary image.

    Components are numbered 1.. in raster order (last axis fastest) of their first pixel. For another scan
    order give the transposed image and transpose the result.

    Args:
        foreground: ``(Y, X)`` or ``(Z, Y, X)``, any dtype; non-zero is foreground.
        connectivity: 4 or 8 in 2D; 6, 18 or 26 in 3D.

    Returns:
        ``int32`` labels of the same shape (0 = background) and the number of components.

    Raises:
        ValueError: if the connectivity does not exist for that number of dimensions.
    """
    reach = _REACH.get((foreground.ndim, connectivity))
    if reach is None:
        raise ValueError(
            f"connectivity {connectivity} does not exist for a {foreground.ndim}D image; "
            "use 4 or 8 for (Y, X), and 6, 18 or 26 for (Z, Y, X)"
        )
    return label(np.asarray(foreground) != 0, generate_binary_structure(foreground.ndim, reach))
