"""Articulation points: the pixels whose removal parts their object."""

import numpy as np

from medseg.kernels.compiled import compiled


@compiled
def articulation_points(ids, seeds, faces):
    """Find all articulation points of the objects that contain `seeds`, in one pass over these objects.

    Args:
        ids: flat framed image, > 0 = foreground.
        seeds: flat indices of foreground pixels; objects without a seed are not looked at.
        faces: flat steps to the neighbours, at most 255.

    Returns:
        ``bool`` per flat pixel.

    Source: Hopcroft & Tarjan, Communications of the ACM 16(6), 1973; without recursion.
    """
    parting = np.zeros(ids.size, np.bool_)
    order = np.zeros(ids.size, np.int32)  # 1.. in order of discovery
    low = np.zeros(ids.size, np.int32)  # earliest pixel reachable from the subtree without the tree edge up
    tried = np.zeros(ids.size, np.uint8)
    path = np.empty(1024, np.int64)
    found = 0
    for seed in seeds:
        if order[seed]:
            continue
        found += 1
        order[seed] = low[seed] = found
        path[0] = seed
        length = 1
        branches = 0
        while length:
            p = path[length - 1]
            if tried[p] < faces.size:
                q = p + faces[tried[p]]
                tried[p] += 1
                if ids[q] <= 0:
                    continue
                if order[q]:
                    # The pixel above p may count here: it lowers low[p] to its own order at most, and
                    # the test below asks only whether low < that order.
                    low[p] = min(low[p], order[q])
                    continue
                found += 1
                order[q] = low[q] = found
                if length == path.size:
                    longer = np.empty(2 * length, np.int64)
                    for i in range(length):
                        longer[i] = path[i]
                    path = longer
                path[length] = q
                length += 1
                continue
            length -= 1
            if length == 0:
                break
            above = path[length - 1]
            if length == 1:
                branches += 1
            elif low[p] >= order[above]:
                parting[above] = True
            low[above] = min(low[above], low[p])
        parting[seed] = branches > 1
    return parting
