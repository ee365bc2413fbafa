"""Maps that clusters are drawn on: principal components, and UMAP where it is installed."""

from collections.abc import Mapping
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import MedunsupError
from medunsup.core.progress import Stage, Told
from medunsup.reduction.methods.pca import PCA

MOST_UMAP = 5_000  # rows, for which it takes about half a minute
FEWEST_UMAP = 16

Floats = NDArray[np.float64]
Maps = dict[str, Floats]


def maps_of(rows: Floats, *, umap: bool, seed: int, told: Told) -> tuple[Maps, Maps, tuple[str, ...]]:
    """Return what places new rows on principal components, the places of rows on each map, and remarks."""
    varies = np.ptp(rows, axis=0) > 0
    if not varies.all() or len(np.unique(rows, axis=0)) < 3:
        return {}, {"pca": _plain(rows)}, ()
    pca = PCA(n_components=min(2, rows.shape[1]), standardize=False).fit(rows)
    kept = {"mean": rows.mean(axis=0), "axes": pca.components_, "places": _two(pca.embedding_)}
    maps, remarks = {"pca": kept["places"]}, ()
    if not umap or len(rows) < FEWEST_UMAP or find_spec("umap") is None:
        return kept, maps, remarks
    if len(rows) > MOST_UMAP:
        return kept, maps, (f"UMAP was not drawn of more than {MOST_UMAP} rows.",)
    told(Stage("drawing umap"))
    from medunsup.reduction.methods.umap import UMAP

    try:
        maps["umap"] = UMAP(n_components=2, standardize=False, seed=seed).fit(rows).embedding_
    except MedunsupError as error:
        return kept, maps, (f"UMAP was not drawn: {error}",)
    return kept, maps, remarks


def placed(kept: Mapping[str, Floats], rows: Floats) -> tuple[Maps, Maps]:
    """Return places of new rows and of the fitted ones."""
    if not kept:
        return {}, {}
    places = np.einsum("nf,kf->nk", rows - kept["mean"], kept["axes"])
    return {"pca": _two(places)}, {"pca": kept["places"]}


def _plain(rows: Floats) -> Floats:
    """Return the two features that vary most, where no axes can be told."""
    order = np.argsort(-rows.std(axis=0), kind="stable")[:2]
    return _two(rows[:, order])


def _two(places: Floats) -> Floats:
    """Return places on two axes, the second 0 where there is one."""
    return places if places.shape[1] == 2 else np.column_stack([places[:, 0], np.zeros(len(places))])
