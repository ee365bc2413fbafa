"""Orders of tiles that are as unlike one another as can be."""

from functools import cache
from itertools import permutations
from math import factorial

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import UsageError

MOST_TILES = 9


@cache
def unlike_permutations(n_tiles: int, count: int) -> NDArray[np.int64]:
    """Return `count` permutations (count, n_tiles), each chosen as far as possible from those before it.

    The first is the identity; the distance is Hamming's, the number of tiles that lie elsewhere, and of those
    equally far the first in lexicographic order is taken. All permutations, if there are fewer. Noroozi and
    Favaro, Unsupervised learning of visual representations by solving jigsaw puzzles, ECCV 2016.

    Raises UsageError for more than 9 tiles, whose permutations are too many to search.
    """
    if n_tiles > MOST_TILES:
        raise UsageError(f"jigsaw: {n_tiles} tiles have too many orders; take {MOST_TILES} tiles at most.")
    every = np.array(list(permutations(range(n_tiles))), dtype=np.int8)
    chosen = [0]
    nearest = (every != every[0]).sum(axis=1, dtype=np.int8)
    for _ in range(min(count, factorial(n_tiles)) - 1):
        chosen.append(int(nearest.argmax()))
        np.minimum(nearest, (every != every[chosen[-1]]).sum(axis=1, dtype=np.int8), out=nearest)
    found = every[chosen].astype(np.int64)
    found.flags.writeable = False  # the cache hands the same array to everyone
    return found
