"""What each mismatch left by homotopic warping means: split, merge, hole or object added or deleted.

White = foreground = the inside of objects. `ids` are the flat framed component numbers of the warped label
(see `warp`): numbers > 0, 0 = background, and the frame, which belongs to neither.
"""

import numpy as np

from medseg.kernels.articulation import articulation_points
from medseg.kernels.compiled import compiled
from medseg.kernels.lattice import Lattice
from medseg.kernels.volume_holes import volume_holes
from medseg.kernels.warp import frame_components, frame_mask, frame_proposal, warp

CLASSES = ("split", "merge", "hole_addition", "hole_deletion", "object_addition", "object_deletion")
"""Names of the classes: ``CLASSES[k]`` has code k + 1; code 0 is "no mismatch"."""

SPLIT, MERGE, HOLE_ADDITION, HOLE_DELETION, OBJECT_ADDITION, OBJECT_DELETION = range(1, 7)


def map_mismatches(
    label: np.ndarray,
    proposal: np.ndarray,
    threshold: float = 0.5,
    mask: np.ndarray | None = None,
    radius: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Warp a binary label towards a proposal and say what each mismatch left is.

    Args:
        label: ``(Y, X)`` or ``(Z, Y, X)``, non-zero = foreground.
        proposal, threshold, mask: as in :func:`medseg.kernels.warp.homotopic_warp`.
        radius: window (pixels) in which a pixel must part its object to be a split; 0 = whole image.

    Returns:
        The warped label (``bool``), the class code of each mismatch (``uint8``, see ``CLASSES``; 0 = none) and
        the number 1.. of its cluster (``int32``), each of the label's shape.

    Raises:
        ValueError: images of different shapes, or neither 2D nor 3D.
    """
    lattice = Lattice.of(label.shape)
    ids, pixels, classes, clusters = find_mismatches(
        frame_components(label, lattice),
        frame_proposal(proposal, lattice),
        frame_mask(mask, lattice),
        float(threshold),
        int(radius),
        lattice,
    )
    places = tuple(lattice.coordinates(pixels).T)
    class_map, cluster_map = np.zeros(label.shape, np.uint8), np.zeros(label.shape, np.int32)
    class_map[places], cluster_map[places] = classes, clusters
    return lattice.restore(ids > 0), class_map, cluster_map


def find_mismatches(
    label_ids: np.ndarray,
    proposal: np.ndarray,
    movable: np.ndarray,
    threshold: float,
    radius: int,
    lattice: Lattice,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Warp a copy of flat framed `label_ids`; return it with its mismatches, their class codes and cluster numbers."""
    ids = label_ids.copy()
    pixels = warp(ids, proposal, movable, threshold, lattice.faces, lattice.cube)
    classes = classify(ids, pixels, radius, lattice.faces, lattice.cube)
    if len(lattice.shape) == 3:
        _name_holes_of_volume(ids, pixels, classes, lattice)
    return ids, pixels, classes, cluster(ids, pixels, classes, lattice.faces, lattice.cube)


def _name_holes_of_volume(ids: np.ndarray, pixels: np.ndarray, classes: np.ndarray, lattice: Lattice) -> None:
    """Correct, in place, the holes of a volume that the table of sections calls by the wrong name."""
    holes = np.flatnonzero((classes == HOLE_ADDITION) | (classes == HOLE_DELETION))
    white = ids[pixels[holes]] > 0
    through_corners = np.full(holes.size, MERGE, np.uint8)
    groups = cluster(ids, pixels[holes], through_corners, lattice.faces, lattice.cube)
    alone, through = volume_holes(ids, pixels[holes], groups, lattice)
    classes[holes[through]] = np.where(white, HOLE_ADDITION, HOLE_DELETION)[through]
    classes[holes[alone]] = np.where(white, OBJECT_DELETION, OBJECT_ADDITION)[alone]


@compiled
def classify(ids, pixels, radius, faces, cube):
    """Class code of each mismatch, each judged on the warped label as it stands.

    `radius` > 0 asks "does this pixel part its object?" within a window, 0 asks it of the whole image.
    """
    classes = np.zeros(pixels.size, np.uint8)
    doubtful = np.empty(pixels.size, np.int64)
    doubts = 0
    for i in range(pixels.size):
        white = ids[pixels[i]] > 0
        objects, background = _values_around(ids, pixels[i], cube)
        if objects == 0:
            classes[i] = OBJECT_DELETION if white else OBJECT_ADDITION
        elif objects + background == 1:
            classes[i] = HOLE_ADDITION if white else HOLE_DELETION
        elif objects + background == 2:
            classes[i] = HOLE_DELETION if white else HOLE_ADDITION
            if white:
                doubtful[doubts] = i
                doubts += 1
        else:
            classes[i] = SPLIT if white else MERGE
    if doubts == 0:
        return classes
    if radius > 0:
        owner = np.zeros(ids.size, np.uint8)
        for i in doubtful[:doubts]:
            if _parts_its_window(ids, pixels[i], radius, faces, cube, owner):
                classes[i] = SPLIT
    else:
        # Each piece that remains of an object has a face neighbour of the pixel that parted it.
        seeds = np.empty(doubts, np.int64)
        for n in range(doubts):
            seeds[n] = pixels[doubtful[n]]
        parting = articulation_points(ids, seeds, faces)
        for i in doubtful[:doubts]:
            if parting[pixels[i]]:
                classes[i] = SPLIT
    return classes


@compiled
def _values_around(ids, p, cube):
    """Number of different objects (3 = three or more) and whether (0, 1) there is background around p."""
    first = second = background = 0
    objects = 0
    for step in cube:
        value = ids[p + step]
        if value == 0:
            background = 1
        elif value > 0 and value != first and value != second:
            objects += 1
            if objects == 3:
                break
            first, second = value, first
    return objects, background


@compiled
def _parts_its_window(ids, p, radius, faces, cube, owner):
    """Whether the neighbours of p fall into several pieces inside the window once p is gone.

    One flood starts from every foreground neighbour at once. It ends as soon as all floods have met, or when
    one has nowhere left to go. `owner` is scratch, zero before and after.
    """
    ndim = faces.size // 2
    room = min((2 * radius + 1) ** ndim, ids.size)
    queue, offset = np.empty(room, np.int64), np.empty((room, ndim), np.int32)
    root, waiting = np.arange(27), np.zeros(27, np.int64)
    floods = 0
    for b in range(cube.size):
        q = p + cube[b]
        if ids[q] > 0:
            queue[floods] = q
            cell = b + (b >= cube.size // 2)
            for axis in range(ndim - 1, -1, -1):
                offset[floods, axis] = cell % 3 - 1
                cell //= 3
            floods += 1
            owner[q] = floods
            waiting[floods] = 1
    head, tail = 0, floods
    while floods > 1:
        q = queue[head]
        own = _root(root, owner[q])
        for f in range(faces.size):
            neighbour = q + faces[f]
            if neighbour == p or ids[neighbour] <= 0:
                continue
            # Faces are sorted: -axis 0, -axis 1, .., +axis 1, +axis 0.
            axis, direction = (f, -1) if f < ndim else (faces.size - 1 - f, 1)
            if abs(offset[head, axis] + direction) > radius:
                continue
            if owner[neighbour] == 0:
                owner[neighbour] = own
                queue[tail] = neighbour
                for a in range(ndim):
                    offset[tail, a] = offset[head, a]
                offset[tail, axis] += direction
                tail += 1
                waiting[own] += 1
                continue
            other = _root(root, owner[neighbour])
            if other != own:
                root[other] = own
                waiting[own] += waiting[other]
                floods -= 1
        head += 1
        waiting[own] -= 1
        if waiting[own] == 0:
            break
    for i in range(tail):
        owner[queue[i]] = 0
    return floods > 1


@compiled
def _root(root, flood):
    while root[flood] != flood:
        flood = root[flood]
    return flood


@compiled
def cluster(ids, pixels, classes, faces, cube):
    """Cluster number (1..) of each mismatch: connected pixels of one class and colour.

    Face-connected, but merges and white hole additions, which lie on membranes, through corners too.
    """
    slot = np.zeros(ids.size, np.int32)
    for i in range(pixels.size):
        slot[pixels[i]] = i + 1
    numbers = np.zeros(pixels.size, np.int32)
    stack = np.empty(pixels.size, np.int64)
    count = 0
    for start in range(pixels.size):
        if numbers[start]:
            continue
        kind, white = classes[start], ids[pixels[start]] > 0
        steps = cube if kind == MERGE or (kind == HOLE_ADDITION and white) else faces
        count += 1
        numbers[start] = count
        stack[0] = start
        top = 1
        while top:
            top -= 1
            p = pixels[stack[top]]
            for step in steps:
                i = slot[p + step] - 1
                if i >= 0 and numbers[i] == 0 and classes[i] == kind and (ids[pixels[i]] > 0) == white:
                    numbers[i] = count
                    stack[top] = i
                    top += 1
    return numbers
