"""How the head and neck bundles bear CTs unlike those of training: noisy, thick, tilted, cut, on a couch.

    python benchmarks/headneck_robustness.py FOLDER [--bundles NAME ...] [--weights FILE] [--changes NAME ...]

FOLDER is that of headneck_training_folder.py. Its validation patients are changed one way at a time, written as NIfTI
and segmented as `medseg predict` does; labels follow the geometry. The Dice of each organ and their mean are printed;
an organ that is cut off entirely counts only where it is found all the same.
"""

from __future__ import annotations

import argparse
import contextlib
import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel
import numpy as np
from headneck_scores import BUNDLES, score
from scipy.ndimage import affine_transform, gaussian_filter

from medseg.io import training_items

Volume = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Hounsfield units and labels ``(X, Y, Z)``, towards right, front and head, and their affine to mm."""
AIR = -1000


def of_values(change: Callable[[np.ndarray], np.ndarray], volume: Volume) -> Volume:
    """A change of the Hounsfield units alone."""
    ct, labels, affine = volume
    return change(ct), labels, affine


def noisy(deviation: float, ct: np.ndarray) -> np.ndarray:
    """With Gaussian noise of that many HU, in the air too."""
    return ct + np.random.default_rng(0).normal(0, deviation, ct.shape)


def on_couch(volume: Volume) -> Volume:
    """Two centimetres behind the hindmost point of the patient lies a plate of 8 cm and -100 HU with hard faces."""
    ct, labels, affine = volume
    dy = affine[1, 1]
    back = int(np.argmax((ct > -500).any((0, 2))))
    room = round(100 / dy)
    ct = np.pad(ct, ((0, 0), (room, 0), (0, 0)), constant_values=AIR)
    labels = np.pad(labels, ((0, 0), (room, 0), (0, 0)))
    affine = affine.copy()
    affine[:3, 3] -= affine[:3, 1] * room
    last = back + room - round(20 / dy)
    first, inset = last - round(80 / dy), ct.shape[0] // 8
    ct[inset:-inset, first:last] = -100
    ct[inset:-inset, [first, last - 1]] = 200
    return ct, labels, affine


def thick(sections: int, volume: Volume) -> Volume:
    """Every section is the mean of so many; labels are those of the middle one."""
    ct, labels, affine = volume
    count = ct.shape[2] // sections
    ct = ct[:, :, : count * sections].reshape(*ct.shape[:2], count, sections).mean(3)
    labels = labels[:, :, sections // 2 :: sections][:, :, :count]
    affine = affine.copy()
    affine[:3, 3] += affine[:3, 2] * (sections // 2)
    affine[:3, 2] *= sections
    return ct, labels, affine


def tilted(degrees: float, axes: tuple[int, int], volume: Volume) -> Volume:
    """The patient turned about the centre of the volume, from the first of two axes to the second; the grid stays."""
    ct, labels, affine = volume
    turn, (first, second), angle = np.eye(3), axes, np.deg2rad(degrees)
    turn[first, first] = turn[second, second] = np.cos(angle)
    turn[first, second], turn[second, first] = np.sin(angle), -np.sin(angle)
    spacing = np.diag(affine)[:3]
    matrix = turn * spacing / spacing[:, None]  # from voxels of the result to voxels of the source
    centre = (np.array(ct.shape) - 1) / 2
    turned = partial(affine_transform, matrix=matrix, offset=centre - matrix @ centre)
    return turned(ct, order=1, cval=AIR), turned(labels, order=0), affine


def sized(factor: float, volume: Volume) -> Volume:
    """A larger or smaller patient: the voxel size changes."""
    ct, labels, affine = volume
    return ct, labels, affine @ np.diag([factor, factor, factor, 1])


def part(first: float, last: float, volume: Volume) -> Volume:
    """What lies between two heights, as shares of the volume from the feet to the head."""
    ct, labels, affine = volume
    low, high = round(first * ct.shape[2]), round(last * ct.shape[2])
    affine = affine.copy()
    affine[:3, 3] += affine[:3, 2] * low
    return ct[:, :, low:high], labels[:, :, low:high], affine


CHANGES: dict[str, Callable[[Volume], Volume]] = {
    "none": lambda volume: volume,
    "noise, 50 HU": partial(of_values, partial(noisy, 50)),
    "noise, 150 HU": partial(of_values, partial(noisy, 150)),
    "blur, sigma 0.7 voxels": partial(of_values, partial(gaussian_filter, sigma=0.7)),
    "50 HU more": partial(of_values, lambda ct: np.where(ct > AIR, ct + 50, ct)),
    "50 HU less": partial(of_values, lambda ct: np.where(ct > AIR, ct - 50, ct)),
    "sections three times as thick": partial(thick, 3),
    "chin up by 15 degrees": partial(tilted, 15, (1, 2)),
    "chin down by 15 degrees": partial(tilted, 15, (2, 1)),
    "head to the side by 15 degrees": partial(tilted, 15, (0, 2)),
    "0.8 times the size": partial(sized, 0.8),
    "1.25 times the size": partial(sized, 1.25),
    "lower half": partial(part, 0.0, 0.5),
    "upper half": partial(part, 0.5, 1.0),
    "on a couch": on_couch,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bundles", nargs="+", default=BUNDLES)
    parser.add_argument("--weights", type=Path, help="of the one bundle named, in place of its own")
    parser.add_argument("--changes", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="NAME")
    options = parser.parse_args()
    items = training_items(options.folder, "validation")
    for number, name in enumerate(options.changes):
        with TemporaryDirectory() as folder:
            written = [write_changed(CHANGES[name], item, Path(folder)) for item in items]
            for bundle in options.bundles:
                with contextlib.redirect_stdout(io.StringIO()):  # the patients one by one
                    dice = {key: values[0] for key, values in score(bundle, written, options.weights).items()}
                del dice["CPU seconds"]
                if number == 0 and bundle == options.bundles[0]:
                    print(f"| bundle | change | {' | '.join(dice)} |\n" + "| --- " * (len(dice) + 2) + "|")
                print(f"| {bundle} | {name} | " + " | ".join(f"{v:.3f}" for v in dice.values()) + " |", flush=True)


def write_changed(change: Callable[[Volume], Volume], item: dict, folder: Path) -> dict[str, str]:
    """The image and the labels of an item after a change, as NIfTI in a folder."""
    image, label = (nibabel.as_closest_canonical(nibabel.load(item[key])) for key in ("image", "label"))
    ct, labels, affine = change((image.get_fdata(), np.asarray(label.dataobj), image.affine))
    stem = Path(item["image"]).name
    paths = {"image": folder / stem, "label": folder / f"labels_{stem}"}
    nibabel.save(nibabel.Nifti1Image(np.rint(ct).astype(np.int16), affine), paths["image"])
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8), affine), paths["label"])
    return {key: str(path) for key, path in paths.items()}


if __name__ == "__main__":
    main()
