"""Voxels in clusters: how many, learned from some of them, all assigned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.clustering.base import Clustering
from medunsup.clustering.choosing.choose import FEWEST, KChoice, choose_k
from medunsup.core.config import Config
from medunsup.core.errors import StepError, UsageError
from medunsup.core.hints import option
from medunsup.core.registry import method as method_named
from medunsup.core.registry import methods

MOST_FITTED = {"kmeans": 100_000, "minibatch_kmeans": 100_000, "gmm": 50_000, "bayesian_gmm": 50_000}
FITTED = 3_000  # voxels of other methods, whose time grows with their square
COMPARED = 1_000  # voxels that K is chosen on
BLOCK_MM = 20.0  # side of cubes whose voxels are in one half and fold
AT_ONCE = 200_000

Rows = NDArray[np.float32]


class PatchSettings(Config):
    """Choices of clusters of voxels."""

    k: Literal["auto"] | int = Field(6, description="clusters, 2 to 50, or 'auto'")
    max_k: int = Field(8, ge=2, le=50, description="most clusters that 'auto' tries")
    method: str = Field("minibatch_kmeans", description="one of `medunsup methods clustering`, not deep")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the method by name")
    seed: int = Field(0, ge=0, description="seed of the voxels that are drawn and of the method")


@dataclass(frozen=True, eq=False)
class Found:
    """Cluster (N,) of each voxel, -1 for none, how K was chosen if it was, and what should be known."""

    labels: NDArray[np.int64]
    choice: KChoice | None
    remarks: tuple[str, ...]


def check(settings: PatchSettings) -> None:
    """Raise UsageError for a number or a method that voxels cannot be clustered by."""
    if settings.k != "auto" and not 2 <= settings.k <= 50:
        raise UsageError(
            f"{option('k', str(settings.k))}: give 2 to 50 clusters of voxels, or {option('k', 'auto')}."
        )
    families = {card.name: card.family for card in methods("clustering")}
    if families.get(settings.method) == "deep":
        raise UsageError(
            f"{settings.method} learns features of rows, of which a scan has too many. Give another "
            f"{option('method')}, and learned features by {option('encoder')}."
        )
    _made(settings, 2)


def clusters(rows: Rows, places_mm: NDArray[np.floating], settings: PatchSettings) -> Found:
    """Cluster voxels by their features (N, D); places (N, 3) tell which lie together."""
    if settings.k != "auto" and len(rows) < settings.k:
        raise StepError(f"{len(rows)} voxels are too few for {settings.k} clusters. Ask for fewer.")
    choice = _choice(rows, places_mm, settings) if settings.k == "auto" else None
    k = int(settings.k) if choice is None else choice.k
    if k == 1:
        return Found(np.zeros(len(rows), np.int64), choice, ())
    model = _made(settings, k)
    model.fit(_drawn(rows, MOST_FITTED.get(settings.method, FITTED), settings.seed).astype(np.float64))
    parts = [
        model.predict(rows[begin : begin + AT_ONCE].astype(np.float64))
        for begin in range(0, len(rows), AT_ONCE)
    ]
    labels = np.concatenate(parts)
    n_none = int((labels < 0).sum())
    none = f"{100 * n_none / len(labels):.1f} % of the voxels are in no cluster: their label is 0."
    return Found(labels, choice, (*model.remarks_, *((none,) if n_none else ())))


def blocks(places_mm: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return the number (N,) of the cube of 20 mm that each place lies in."""
    cells = np.floor((places_mm - places_mm.min(axis=0)) / BLOCK_MM).astype(np.int64)
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def _choice(rows: Rows, places_mm: NDArray[np.floating], settings: PatchSettings) -> KChoice:
    chosen = _places(len(rows), COMPARED, settings.seed)
    cubes = np.unique(blocks(places_mm[chosen]), return_inverse=True)[1]
    if cubes.max() + 1 < 2 * FEWEST:
        raise StepError(
            f"The mask spans {cubes.max() + 1} cubes of {BLOCK_MM:g} mm, too few to tell how many clusters "
            f"there are; {2 * FEWEST} are needed. Give {option('k', '4')}, or another number."
        )
    return choose_k(
        lambda k, seed: _made(settings, k, seed),
        rows[chosen].astype(np.float64),
        ks=range(1, settings.max_k + 1),
        seed=settings.seed,
        with_curves=False,
        groups=cubes.tolist(),
    )


def _made(settings: PatchSettings, k: int, seed: int | None = None) -> Clustering:
    made: Any = method_named("clustering", settings.method)
    fewer: Mapping[str, int] = {"n_init": 3} if settings.method == "minibatch_kmeans" else {}
    given = {**fewer, **settings.parameters, "n_clusters": k, "seed": settings.seed if seed is None else seed}
    found: Clustering = made(**made.Config.parse(given, where=settings.method).model_dump())
    return found


def _drawn(rows: Rows, most: int, seed: int) -> Rows:
    return rows[_places(len(rows), most, seed)]


def _places(n: int, most: int, seed: int) -> NDArray[np.intp]:
    """Draw so many of n rows, in their order; all if they are no more."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
