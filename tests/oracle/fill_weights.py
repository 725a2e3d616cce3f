"""Deterministic pseudo-random weights and inputs for the parity oracles.

Needs numpy only; ``fill_module`` additionally needs torch.  No library random
generator *stream method* is used: everything comes from the raw 64-bit output
of numpy's PCG64 bit generator (whose stream numpy guarantees) and from IEEE
add / subtract / multiply / divide / sqrt, so the numbers are bit-identical on
every platform and with every numpy or torch version.

The rule
--------
For a state-dict entry with name ``key`` and shape ``s`` (n elements, C order):

    seed = zlib.crc32((salt + key).encode("utf-8"))
    u    = (numpy.random.PCG64(seed).random_raw(n) >> 11) * 2**-53      in [0, 1)
    z    = (2*u - 1) * sqrt(3)              uniform, mean 0, variance 1
    (all in float64, cast to float32 at the very end)

    last part of key      ndim        value
    num_batches_tracked   any         0
    running_mean          1           0.1 * z
    running_var           1           1 + 0.1 * |z|
    bias                  1           0.1 * z
    weight                1 (norms)   1 + 0.1 * z
    weight                >= 2        z * sqrt(2 / prod(s[1:]))
                          (conv, linear, depthwise, transposed conv alike:
                           the fan is the product of all sizes but the first)

``adjust`` is a list of ``[regex, mul, add]`` applied (in order, re.search on the
key, in float64) after the rule: value = value * mul + add.  Oracles that need it
record it in their ``meta`` JSON, together with ``salt``; every ``.npz`` also holds
``key_map_note`` where names differ from the reference.

Any other key raises: an oracle must never depend on an unfilled tensor.
"""

from __future__ import annotations

import re
import zlib

import numpy as np

__all__ = ["unit_noise", "fill_array", "fill_state", "fill_module", "synth_image", "checksum"]

SQRT3 = float(np.sqrt(3.0))


def unit_noise(name: str, n: int) -> np.ndarray:
    """n float64 numbers, uniform on [-sqrt(3), sqrt(3)), keyed by ``name``."""
    raw = np.random.PCG64(zlib.crc32(name.encode("utf-8"))).random_raw(n)
    u = (np.asarray(raw, dtype=np.uint64) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return (2.0 * u - 1.0) * SQRT3


def fill_array(key: str, shape, salt: str = "", adjust=()) -> np.ndarray:
    """The float32 (int64 for num_batches_tracked) array for one state-dict entry."""
    shape = tuple(int(s) for s in shape)
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, dtype=np.int64)
    n = int(np.prod(shape, dtype=np.int64)) if shape else 1
    z = unit_noise(salt + key, n).reshape(shape)
    if leaf in ("running_mean", "bias") and len(shape) == 1:
        v = 0.1 * z
    elif leaf == "running_var" and len(shape) == 1:
        v = 1.0 + 0.1 * np.abs(z)
    elif leaf == "weight" and len(shape) == 1:
        v = 1.0 + 0.1 * z
    elif leaf == "weight" and len(shape) >= 2:
        v = z * float(np.sqrt(2.0 / float(np.prod(shape[1:], dtype=np.int64))))
    else:
        raise KeyError(f"no fill rule for {key} {shape}")
    for pattern, mul, add in adjust:
        if re.search(pattern, key):
            v = v * float(mul) + float(add)
    return v.astype(np.float32)


def fill_state(shapes: dict, salt: str = "", adjust=()) -> dict:
    """{key: shape} -> {key: array}, keys in sorted order."""
    return {k: fill_array(k, shapes[k], salt, adjust) for k in sorted(shapes)}


def fill_module(module, salt: str = "", adjust=(), rename=None) -> dict:
    """Fill a torch module in place (strict) and return the numpy state.

    ``rename`` maps a module's own key to the oracle's key (a callable); with it a
    module with other names gets the numbers of the reference's names.
    """
    import torch

    own = module.state_dict()
    state = {}
    for k in sorted(own):
        a = fill_array(rename(k) if rename else k, own[k].shape, salt, adjust)
        state[k] = torch.from_numpy(a.reshape(tuple(own[k].shape))).to(own[k].dtype)
    module.load_state_dict(state, strict=True)
    return {k: v.numpy() for k, v in state.items()}


def synth_image(name: str, shape, blobs: int = 6, noise: float = 0.25, clip01: bool = False) -> np.ndarray:
    """A deterministic image of shape (C, *spatial), float32, any number of axes.

    Each channel is a sum of ``blobs`` rational bumps a / (1 + |x - c|^2 / r^2) with
    |a| in [0.5, 1.5], centres anywhere, r in [4 %, 16 %] of the longest axis,
    plus ``noise`` * unit noise; only + - * / are used.  With ``clip01`` the value is
    0.5 + 0.25 * v clipped to [0, 1].
    """
    c, *sp = (int(s) for s in shape)
    out = np.empty((c, *sp), dtype=np.float64)
    longest = float(max(sp))
    grids = [
        np.arange(s, dtype=np.float64).reshape([-1 if i == j else 1 for j in range(len(sp))])
        for i, s in enumerate(sp)
    ]
    for ch in range(c):
        p = unit_noise(f"{name}/blobs/{ch}", blobs * (len(sp) + 2)).reshape(blobs, len(sp) + 2)
        p = (p / SQRT3 + 1.0) / 2.0  # [0, 1)
        acc = np.zeros(sp, dtype=np.float64)
        for b in range(blobs):
            amp = (0.5 + p[b, 0]) * (1.0 if b % 2 == 0 else -1.0)
            r = longest * (0.04 + 0.12 * p[b, 1])
            d2 = np.zeros(sp, dtype=np.float64)
            for i, s in enumerate(sp):
                d = grids[i] - p[b, 2 + i] * (s - 1)
                d2 = d2 + d * d
            acc = acc + amp / (1.0 + d2 / (r * r))
        n = unit_noise(f"{name}/noise/{ch}", int(np.prod(sp, dtype=np.int64))).reshape(sp)
        out[ch] = acc + noise * n
    if clip01:
        out = np.minimum(np.maximum(0.5 + 0.25 * out, 0.0), 1.0)
    return out.astype(np.float32)


def checksum(a: np.ndarray) -> int:
    """crc32 of the little-endian C-order bytes; used to check filled weights and inputs."""
    a = np.ascontiguousarray(a)
    return zlib.crc32(a.astype(a.dtype.newbyteorder("<"), copy=False).tobytes())


if __name__ == "__main__":  # self-check: known answers
    w = fill_array("features.0.weight", (64, 3, 3, 3))
    x = synth_image("demo", (3, 16, 16))
    print("features.0.weight", w.ravel()[:3], checksum(w))
    print("synth demo", x.ravel()[:3], checksum(x))
