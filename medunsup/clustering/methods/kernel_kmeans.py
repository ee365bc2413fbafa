"""K-means in the feature space of a kernel."""

from typing import Literal

import numpy as np
from pydantic import Field
from scipy.spatial.distance import cdist, pdist
from scipy.special import softmax

from medunsup.clustering.base import Clustering, ClusteringConfig, Floats, Labels
from medunsup.core.registry import register


class KernelKMeansConfig(ClusteringConfig):
    """Parameters of kernel k-means."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    kernel: Literal["rbf", "linear"] = Field("rbf", description="kernel; 'linear' is plain k-means")
    gamma: float | None = Field(
        None,
        gt=0,
        description="of exp(-gamma * squared distance); 1 / median squared distance of two rows if not given",
    )
    n_init: int = Field(10, ge=1, description="starts; the one with the least inertia is kept")
    max_iter: int = Field(100, ge=1, description="largest number of iterations of a start")


@register(
    "kernel_kmeans",
    family="centroids",
    dims=(2, 3),
    paper="Dhillon, Guan and Kulis (2004), Kernel k-means, spectral clustering and normalized cuts. KDD.",
    limit="The width of the kernel decides what is found; memory grows with the square of the rows.",
)
class KernelKMeans(Clustering):
    """K-means in a kernel's feature space, so that clusters need not be round.

    Seeds are those of k-means++ in that space; a cluster that loses all rows takes the row furthest from its
    centre. Shares fall with the squared distance to the centres there, as those of k-means do.

    Examples
    --------
    >>> from medunsup.clustering import KernelKMeans
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = KernelKMeans(n_clusters=2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = KernelKMeansConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        kernel: Literal["rbf", "linear"] = "rbf",
        gamma: float | None = None,
        n_init: int = 10,
        max_iter: int = 100,
        seed: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.kernel = kernel
        self.gamma = gamma
        self.n_init = n_init
        self.max_iter = max_iter
        self.seed = seed

    _learned = (
        "_held",
        "_middle",
        "_gamma",
        "_is_linear",
        "_members",
        "_within",
        "_variance",
        "_inertia",
        "_n_iter",
    )

    def _fit(self, rows: Floats, n_clusters: int, config: KernelKMeansConfig) -> Labels:
        self._held, self._middle = rows, rows.mean(axis=0)
        squares = pdist(rows, "sqeuclidean")
        self._gamma = config.gamma or 1 / (float(np.median(squares)) or float(squares.max()) or 1.0)
        self._is_linear = config.kernel == "linear"
        kernel = self._kernel(rows)
        generator = np.random.default_rng(config.seed)
        starts = [_lloyd(kernel, n_clusters, config.max_iter, generator) for _ in range(config.n_init)]
        labels, self._inertia, self._n_iter = min(starts, key=lambda start: start[1])
        self._members = np.eye(n_clusters)[labels]
        self._within = _within(kernel, self._members)
        self._variance = max(self._inertia / len(rows), 1e-12)
        found: Labels = self._soft(rows).argmax(axis=1)
        return found

    @property
    def inertia_(self) -> float:
        """Sum of squared distances of the fitted rows to their centres, in the kernel's space."""
        return self._inertia

    @property
    def n_iter_(self) -> int:
        """Iterations of the start that is kept."""
        return self._n_iter

    def _soft(self, rows: Floats) -> Floats:
        kernel = self._kernel(rows)
        squares = self._within - 2 * _to_means(kernel, self._members)
        squares -= squares.min(axis=1, keepdims=True)
        shares: Floats = softmax(-squares / (2 * self._variance), axis=1)
        return shares

    def _kernel(self, rows: Floats) -> Floats:
        """Return the kernel (M, N) of rows with the fitted ones."""
        if self._is_linear:
            return np.einsum("md,nd->mn", rows - self._middle, self._held - self._middle)
        found: Floats = np.exp(-self._gamma * cdist(rows, self._held, "sqeuclidean"))
        return found


def _to_means(kernel: Floats, members: Floats) -> Floats:
    """Return the mean kernel (M, K) of rows with the members (N, K) of each cluster."""
    return np.einsum("mn,nk->mk", kernel, members) / np.maximum(members.sum(axis=0), 1)


def _within(kernel: Floats, members: Floats) -> Floats:
    """Return the mean kernel (K,) of each cluster's members with one another."""
    sums = np.einsum("nk,nk->k", members, kernel @ members)
    return sums / np.maximum(members.sum(axis=0), 1) ** 2


def _lloyd(
    kernel: Floats, n_clusters: int, max_iter: int, generator: np.random.Generator
) -> tuple[Labels, float, int]:
    """Alternate centres and labels from one start; return labels, inertia and iterations."""
    labels = _plus_plus(kernel, n_clusters, generator)
    own = np.diag(kernel)
    n_iter = 0
    while n_iter < max_iter:
        n_iter += 1
        members = np.eye(n_clusters)[labels]
        squares = own[:, None] + _within(kernel, members) - 2 * _to_means(kernel, members)
        new = squares.argmin(axis=1)
        for dead in np.flatnonzero(np.bincount(new, minlength=n_clusters) == 0):
            counts = np.bincount(new, minlength=n_clusters)
            far = np.where(counts[new] > 1, squares[np.arange(len(new)), new], -np.inf)
            new[far.argmax()] = dead
        if (new == labels).all():
            break
        labels = new
    return labels, float(squares[np.arange(len(labels)), labels].sum()), n_iter


def _plus_plus(kernel: Floats, n_clusters: int, generator: np.random.Generator) -> Labels:
    """Draw rows as centres, each with a chance that grows with its squared distance to those drawn."""
    own = np.diag(kernel)
    drawn = [int(generator.integers(len(kernel)))]
    squares = own[:, None] + own[drawn] - 2 * kernel[:, drawn]
    while len(drawn) < n_clusters:
        chances = np.maximum(squares.min(axis=1), 0)
        chances[drawn] = 0
        total = chances.sum()
        chances = chances / total if total > 0 else np.full(len(kernel), 1 / len(kernel))
        drawn.append(int(generator.choice(len(kernel), p=chances)))
        squares = own[:, None] + own[drawn] - 2 * kernel[:, drawn]
    labels: Labels = squares.argmin(axis=1)
    return labels
