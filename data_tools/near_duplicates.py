"""Near-duplicate images by perceptual hash, confirmed on thumbnails."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from skimage.transform import resize

HASH_BITS_APART = 6  # of 64; candidates only, the thumbnails decide
LEAST_CORRELATION = 0.97
_THUMBNAIL = 32


@dataclass(frozen=True)
class Fingerprint:
    """A 64-bit perceptual hash and the normalised thumbnail it was made from."""

    bits: np.ndarray
    thumbnail: np.ndarray


def fingerprint(image: np.ndarray) -> Fingerprint:
    """Return the fingerprint of an image: a (Y, X) plane, or the middle plane of a stack (Z, Y, X).

    The hash holds the signs of the low frequencies of the thumbnail's cosine transform against their median
    (Zauner 2010, "Implementation and benchmarking of perceptual image hash functions"), so that brightness,
    contrast, noise and rescaling change few bits.
    """
    plane = image if image.ndim == 2 else image[len(image) // 2]
    plane = plane.astype(np.float32)
    if min(plane.shape) >= 2 * _THUMBNAIL:  # plain block means first: cheap, and free of aliasing
        step = min(plane.shape) // _THUMBNAIL
        rows, columns = (n // step * step for n in plane.shape)
        plane = plane[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    small = resize(plane, (_THUMBNAIL, _THUMBNAIL), order=1, anti_aliasing=False, preserve_range=True)
    small = small - small.mean()
    small /= max(float(np.linalg.norm(small)), 1e-12)
    low = dctn(small, norm="ortho")[:8, :8].ravel()
    return Fingerprint(low > np.median(low[1:]), small)


def near_duplicates(fingerprints: list[Fingerprint]) -> list[tuple[int, int, float]]:
    """Return pairs (i, j, correlation) of images that are near-duplicates, i < j."""
    if not fingerprints:
        return []
    bits = np.stack([f.bits for f in fingerprints])
    thumbnails = np.stack([f.thumbnail.ravel() for f in fingerprints])
    pairs = []
    for i in range(len(bits) - 1):
        apart = (bits[i + 1 :] != bits[i]).sum(axis=1)
        for j in i + 1 + np.flatnonzero(apart <= HASH_BITS_APART):
            correlation = float(thumbnails[i] @ thumbnails[j])
            if correlation >= LEAST_CORRELATION:
                pairs.append((i, int(j), correlation))
    return pairs


def duplicate_clusters(count: int, pairs: list[tuple[int, int, float]]) -> np.ndarray:
    """Return for each of `count` images the number of its cluster of (chains of) near-duplicates."""
    i, j = ([p[k] for p in pairs] for k in (0, 1))
    graph = coo_matrix((np.ones(len(pairs)), (i, j)), shape=(count, count))
    return connected_components(graph, directed=False)[1]
