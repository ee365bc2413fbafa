"""Principal components of voxels, as a baseline: of many small images, or of few large scans."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

Floats = NDArray[np.float64]
TINY = 1e-10  # of the largest variance: components below it are rounding


class Rows(NamedTuple):
    """Features (N, D) of the training and of the test split."""

    train: NDArray[np.floating]
    test: NDArray[np.floating]


def principal_components(scans: Mapping[SplitName, "Scans"], n_components: int) -> Rows:
    """Return principal components of the voxels inside any training mask, fitted on the training split.

    At most as many as there are training scans or voxels. Voxels are read a plane at a time: from them follow
    the covariances of voxels, or where there are more voxels than scans the products of scans, whose
    eigenvectors give the same components.
    """
    train, test = scans["train"], scans["test"]
    inside = np.asarray(train.masks.any(axis=0))
    n_voxels = int(inside.sum()) * train.values.shape[1]
    n_components = min(n_components, len(train), n_voxels)
    if n_voxels <= len(train):
        first, second = (
            np.concatenate(parts, axis=1) for parts in zip(*_planes(train, test, inside), strict=True)
        )
        return _by_voxels(first, second, n_components)
    return _by_scans(_planes(train, test, inside), len(train), len(test), n_components)


def _planes(train: "Scans", test: "Scans", inside: NDArray[np.bool_]) -> Iterator[tuple[Floats, Floats]]:
    """Yield the voxels of both splits (N, V) plane by plane, the training mean taken off."""
    for plane, chosen in enumerate(inside):
        if chosen.any():
            first, second = (
                np.asarray(one.values[:, :, plane][:, :, chosen], np.float64).reshape(len(one), -1)
                for one in (train, test)
            )
            mean = first.mean(axis=0)
            yield first - mean, second - mean


def _by_voxels(train: Floats, test: Floats, n_components: int) -> Rows:
    values, vectors = np.linalg.eigh(train.T @ train)
    axes = vectors[:, ::-1][:, : min(n_components, _n_real(values))]
    return Rows(train @ axes, test @ axes)


def _by_scans(planes: Iterator[tuple[Floats, Floats]], n_train: int, n_test: int, n_components: int) -> Rows:
    own, other = np.zeros((n_train, n_train)), np.zeros((n_test, n_train))
    for train, test in planes:
        own += train @ train.T
        other += test @ train.T
    values, vectors = np.linalg.eigh(own)
    n = min(n_components, _n_real(values))
    lengths, axes = np.sqrt(values[::-1][:n]), vectors[:, ::-1][:, :n]
    return Rows(axes * lengths, other @ (axes / lengths))


def _n_real(values: Floats) -> int:
    """Count the variances that are no rounding; one at least."""
    return max(1, int((values > TINY * values[-1]).sum()))
