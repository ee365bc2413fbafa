"""New rows assigned to clusters that are there."""

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.clusters.folder import ClusterFolder, FittedClusters
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.feature_table.table import FeatureTable, few
from medunsup.core.errors import ArrayError, InputError, UsageError
from medunsup.workflows.cluster.data import ClusterData
from medunsup.workflows.cluster.described import UNLIKE, clusters_of
from medunsup.workflows.cluster.pictures import placed


def applied(data: ClusterData, opened: ClusterFolder) -> ClusterResult:
    """Assign rows to the clusters of a model, and say which are unlike all that it was made of.

    Raises InputError if the table lacks a feature, UsageError for a site that the model does not know.
    """
    about, fitted = opened.manifest, opened.fitted()
    values = _values(data, opened)
    sites = _column(data.table, about.harmonise, opened)
    kept = {name: _column(data.table, name, opened) or () for name in about.kept}
    try:
        features = fitted.preparation.transform(values, sites, kept)
        standard = fitted.preparation.scaled(values, sites, kept)
    except ArrayError as error:
        raise UsageError(f"{opened.path}: {error}") from error
    method = fitted.method
    inputs = data.images if data.images is not None and "images" in method.takes else features
    labels = method.predict(inputs)
    typicality = method.typicality(inputs)
    unlike = [data.table.label(n) for n in range(len(labels)) if typicality[n] <= UNLIKE]
    maps, background = placed(fitted.map, features)
    remarks = (
        f"{len(unlike)} of {len(labels)} rows are farther from the rows of their cluster than 95 % of these "
        f"from one another; their clusters mean little: {few(unlike)}.",
    )
    return ClusterResult(
        method=about.method,
        verdict=_verdict(labels, method.n_clusters_, opened),
        labels=labels,
        probabilities=method.predict_proba(inputs),
        typicality=typicality,
        keys=data.table.keys,
        covariates=data.table.covariates,
        names=about.features,
        clusters=clusters_of(labels, method.n_clusters_, typicality, standard, about.features),
        maps=maps,
        background=background,
        background_labels=_labels_of_map(fitted) if background else None,
        remarks=remarks if unlike else (),
        about={
            "model": opened.path.name,
            "features": len(about.features),
            "fitted_rows": len(method.labels_),
        },
    )


def _labels_of_map(fitted: FittedClusters) -> NDArray[np.int64]:
    """Return the clusters of the fitted rows that are drawn: all, or those drawn of a stream."""
    return np.asarray(fitted.map.get("labels", fitted.method.labels_), np.int64)


def _values(data: ClusterData, opened: ClusterFolder) -> NDArray[np.float64]:
    about = opened.manifest
    if about.image_shape is None:
        if data.images is not None:
            raise InputError(
                f"{opened.path}: its clusters are of features, and these are images. Give a table."
            )
        return data.table.only(about.features).values
    if data.images is None:
        raise InputError(
            f"{opened.path}: its clusters are of images, and this is a table of features. Give a .npz file."
        )
    if data.images.shape[1:] != about.image_shape:
        raise InputError(
            f"{opened.path}: was made of images {about.image_shape}, these are {data.images.shape[1:]}. "
            "Bring them to that size."
        )
    return data.values


def _column(table: FeatureTable, name: str | None, opened: ClusterFolder) -> tuple[str, ...] | None:
    if name is None:
        return None
    if name not in table.covariates and name not in table.keys:
        how = f"by {name!r}" if name == opened.manifest.harmonise else f"with the effect of {name!r} kept"
        raise UsageError(
            f"{opened.path}: its features were harmonised {how}, and the table has no such column. Add it."
        )
    return table.column(name)


def _verdict(labels: NDArray[np.int64], k: int, opened: ClusterFolder) -> str:
    counts = [int((labels == label).sum()) for label in range(k)]
    said = ", ".join(f"{n} in cluster {label}" for label, n in enumerate(counts))
    lost = int((labels < 0).sum())
    rows = "1 new row" if len(labels) == 1 else f"{len(labels)} new rows"
    text = f"{rows} in the clusters of {opened.path.name}: {said}" + f", {lost} in none." * bool(lost)
    return text if lost else text + "."
