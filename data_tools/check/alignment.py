"""Do the labels lie on the image? Compares them with shifted, flipped and transposed versions of themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

from data_tools.check.findings import Finding, warning

FARTHEST_SHIFT_PX = 24
LEAST_SHIFT_PX = 3
BETTER_BY = 1.35
LEAST_CORRELATION = 0.2


def check_alignment(file: str, image: np.ndarray, labels: np.ndarray) -> Iterator[Finding]:
    """Warn where labels fit the image much better when moved, flipped or transposed.

    Args:
        file: the label image's name.
        image: (Y, X) or (Z, Y, X); the section with the most label borders is looked at.
        labels: the same shape, 0 = background.
    """
    if labels.ndim == 3:
        z = int(np.argmax([np.count_nonzero(np.diff(s, axis=-1)) for s in labels]))
        image, labels = image[z], labels[z]
    if min(labels.shape) < 48 or not labels.any():
        return
    pictures, drawings = _pictures(image.astype(np.float32)), _drawings(labels)
    shifts = [_better_shift(p, d) for p, d in zip(pictures, drawings, strict=True)]
    if None not in shifts and np.abs(np.subtract(*shifts)).max() <= 2:
        dy, dx = shifts[0]
        yield warning(
            "misaligned",
            file,
            f"fits the image better when moved by {dy} px down and {dx} px right; look at the pair (preview) and "
            "export both from the same field",
        )
    elif turned := _better_turn(pictures, drawings):
        yield warning(
            "flipped",
            file,
            f"fits the image better when {turned}; look at the pair (preview) and check the reader's axes",
        )


def _pictures(image: np.ndarray) -> list[np.ndarray]:
    """Two independent looks at the image: its brightness and its edges, without the brightest specks."""
    image = np.clip(image, *np.percentile(image[::2, ::2], (1, 99)))
    return [_normalised(gaussian_filter(image, 1.5)), _normalised(gaussian_gradient_magnitude(image, 1.5))]


def _drawings(labels: np.ndarray) -> list[np.ndarray]:
    """What the labels say of the same two: where objects are and where their borders are."""
    borders = np.zeros(labels.shape, dtype=np.float32)
    borders[1:] += labels[1:] != labels[:-1]
    borders[:, 1:] += labels[:, 1:] != labels[:, :-1]
    return [_normalised((labels > 0).astype(np.float32)), _normalised(gaussian_filter(borders, 1.0))]


def _normalised(array: np.ndarray) -> np.ndarray:
    array = array - array.mean()
    return array / max(float(np.linalg.norm(array)), 1e-12)


def _better_shift(picture: np.ndarray, drawing: np.ndarray) -> tuple[int, int] | None:
    """Return the shift (down, right) of `drawing` that fits `picture` much better than none, or None."""
    padded = tuple(next_fast_len(n + FARTHEST_SHIFT_PX, real=True) for n in picture.shape)
    correlation = irfft2(rfft2(picture, padded) * np.conj(rfft2(drawing, padded)), padded)
    here = abs(float(correlation[0, 0]))
    reach = min(FARTHEST_SHIFT_PX, min(picture.shape) // 4)
    window = np.abs(np.roll(correlation, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1])
    y, x = np.unravel_index(int(window.argmax()), window.shape)
    dy, dx, best = int(y) - reach, int(x) - reach, float(window[y, x])
    if max(abs(dy), abs(dx)) < LEAST_SHIFT_PX or best < LEAST_CORRELATION or best < BETTER_BY * here:
        return None
    return dy, dx


def _better_turn(pictures: list[np.ndarray], drawings: list[np.ndarray]) -> str:
    turns = {
        "": lambda d: d,
        "flipped upside down": np.flipud,
        "mirrored left to right": np.fliplr,
        "turned by 180 degrees": lambda d: d[::-1, ::-1],
    }
    if pictures[0].shape[0] == pictures[0].shape[1]:
        turns["transposed"] = np.transpose
    scores = {
        name: [abs(float((p * turn(d)).sum())) for p, d in zip(pictures, drawings, strict=True)]
        for name, turn in turns.items()
    }
    best = max(scores, key=lambda name: min(scores[name]))
    clear = all(b > LEAST_CORRELATION and b > 2 * h for b, h in zip(scores[best], scores[""], strict=True))
    return best if clear else ""
