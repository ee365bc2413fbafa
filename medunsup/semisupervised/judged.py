"""One figure of a network on labelled scans, by which one is chosen."""

from typing import Any

import numpy as np

from medunsup.training.scan_stack import Scans


def judge(method: Any, scans: Scans, arm: str) -> float:
    """Return the balanced accuracy of scans' classes, or the mean Dice of voxels' classes, in [0, 1]."""
    if method.task == "classify":
        said = method.probabilities(scans, arm=arm).argmax(axis=1)
        labels = scans.labels
        assert labels is not None  # the scans were checked
        return float(np.mean([(said[labels == one] == one).mean() for one in np.unique(labels)]))
    both, sums = np.zeros(method.classes), np.zeros(method.classes)
    for values, mask in scans:
        said = method.probabilities(values[:-1], mask, arm=arm).argmax(axis=0)
        for one in range(1, method.classes):
            found, true = said == one, values[-1] == one
            both[one] += (found & true).sum()
            sums[one] += found.sum() + true.sum()
    there = sums > 0
    return float((2 * both[there] / sums[there]).mean()) if there.any() else 0.0
