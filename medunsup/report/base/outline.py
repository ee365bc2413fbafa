"""Outlines of labels on a slice, and the colour of what was found."""

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import TISSUES, Label

FOUND = Label(2, "found", "finding", (64, 224, 255))


def outline(labels: NDArray[np.uint8], table: tuple[Label, ...]) -> NDArray[np.uint8]:
    """Boundary pixels of `labels` (rows, columns), each border drawn once, in the inner tissue's colour."""
    ranks = np.zeros(256, np.uint8)
    for depth, label in enumerate(_inside_out(table)):
        ranks[label.index] = len(table) - depth
    rank = np.pad(ranks[labels], 1, mode="edge")
    here = rank[1:-1, 1:-1]
    lowest = np.minimum.reduce([rank[:-2, 1:-1], rank[2:, 1:-1], rank[1:-1, :-2], rank[1:-1, 2:]])
    return np.where(lowest < here, labels, 0).astype(np.uint8)


def _inside_out(table: tuple[Label, ...]) -> list[Label]:
    """Labels from the innermost: white matter, grey matter, CSF; numbered classes from the brightest."""
    if table == TISSUES:
        return [TISSUES[1], TISSUES[0], TISSUES[2]]
    return sorted(table, key=lambda label: -label.index)
