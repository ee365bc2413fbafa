"""Which cluster is which tissue: a mixture finds classes, the contrast says their names."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.labels import TISSUES

# From dark to bright, for adults at 1.5 to 3 T. PD: long TR and short TE, where water content leads; so it
# is CSF, not grey matter, that is brightest (BrainWeb's PD at TR 3300, TE 35 ms has this order).
DARK_TO_BRIGHT: dict[str, tuple[str, str, str]] = {
    "T1w": ("CSF", "GM", "WM"),
    "T2w": ("WM", "GM", "CSF"),
    "FLAIR": ("CSF", "WM", "GM"),
    "PD": ("WM", "GM", "CSF"),
}


def class_order(means: NDArray[np.floating], contrasts: Sequence[str], n_classes: int) -> NDArray[np.intp]:
    """Return the cluster that belongs to each class, (K,), in the order of `class_table(n_classes)`.

    `means` (K, C) are the cluster means, one column a contrast. Three classes become GM, WM and CSF: the
    assignment whose means agree best with `DARK_TO_BRIGHT`, summed over contrasts (with one contrast that
    is plain sorting). Any other number of classes goes from dark to bright in the first contrast.

    Raises UsageError for a contrast whose order of tissues is not known.
    """
    if n_classes != len(TISSUES):
        return np.argsort(means[:, 0], kind="stable")
    expected = np.stack([_expected_rank(contrast) for contrast in contrasts], axis=1)
    centred = means - means.mean(axis=0)
    found = centred / np.maximum(np.abs(centred).max(axis=0), np.finfo(float).tiny)
    orders = [np.array(order) for order in permutations(range(n_classes))]
    return max(orders, key=lambda order: float((found[order] * expected).sum()))


def _expected_rank(contrast: str) -> NDArray[np.float64]:
    """-1 for the darkest, 0 for the middle, 1 for the brightest, in the order GM, WM, CSF."""
    if contrast not in DARK_TO_BRIGHT:
        raise UsageError(
            f"The order of tissues in contrast {contrast!r} is not known. "
            f"Give one of {', '.join(DARK_TO_BRIGHT)} with {option('contrast')}."
        )
    ranks = DARK_TO_BRIGHT[contrast]
    return np.array([ranks.index(label.abbreviation) - 1.0 for label in TISSUES])
