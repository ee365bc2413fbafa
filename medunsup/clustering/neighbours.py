"""Distances to the nearest rows, and what follows from them: votes, and how unusual a row is."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

NEIGHBOURS = 5
CHUNK = 1_000  # rows at a time, so that distances to many stay small
MOST_CELLS = 4_000_000  # distances at a time: 32 MB

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def mean_distance(rows: Floats, held: Floats, *, without_itself: bool = False) -> Floats:
    """Return the mean Euclidean distance (M,) of rows (M, D) to the 5 nearest of `held` (N, D).

    `without_itself` says that both are the same rows: each leaves itself out; infinite if there is no other.
    """
    parts = []
    chunk = max(1, min(CHUNK, MOST_CELLS // max(1, len(held))))
    for start in range(0, len(rows), chunk):
        distances = cdist(rows[start : start + chunk], held)
        if without_itself:
            some = np.arange(len(distances))
            distances[some, start + some] = np.inf
        k = min(NEIGHBOURS, len(held) - without_itself)
        if k < 1:
            parts.append(np.full(len(distances), np.inf))
            continue
        parts.append(np.partition(distances, k - 1, axis=1)[:, :k].mean(axis=1))
    return np.concatenate(parts)


def conformal(scores: Floats, calibration: Floats) -> Floats:
    """Return p (M,): the share of calibration scores (N,) that are as high, the row itself counted."""
    ordered = np.sort(calibration)
    as_high = len(ordered) - np.searchsorted(ordered, scores, side="left")
    return (1 + as_high) / (1 + len(ordered))


def vote(rows: Floats, held: Floats, labels: Labels) -> Floats:
    """Return the share (M, K) of each label 0 to K - 1 among the 5 nearest of `held`, nearer ones weigh more.

    Weights are the inverse distances; equal rows alone count where there are some. What is missing to 1 is
    the share of neighbours without a cluster (-1).
    """
    k, n_labels = min(NEIGHBOURS, len(held)), int(labels.max(initial=-1)) + 1
    shares = np.zeros((len(rows), n_labels))
    for start in range(0, len(rows), CHUNK):
        distances = cdist(rows[start : start + CHUNK], held)
        near = np.argsort(distances, axis=1, kind="stable")[:, :k]
        weights = _inverse(np.take_along_axis(distances, near, axis=1))
        for label in range(n_labels):
            shares[start : start + CHUNK, label] = (weights * (labels[near] == label)).sum(axis=1)
    return shares


def _inverse(distances: Floats) -> Floats:
    """Return inverse distances (M, k) that sum to 1 a row; where some are 0, those alone."""
    nearest = distances.min(axis=1, keepdims=True)
    is_zero = distances == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(nearest == 0, is_zero, nearest / distances)
    return weights / weights.sum(axis=1, keepdims=True)
