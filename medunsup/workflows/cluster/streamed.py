"""Clusters of a table larger than memory: read in batches, with what can be told of a sample of its rows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Labels
from medunsup.clustering.methods.minibatch_kmeans import MiniBatchKMeans
from medunsup.clustering.preparation import Preparation
from medunsup.cohort.clusters.folder import FittedClusters
from medunsup.cohort.clusters.parts import OneCluster
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.feature_table.stream import FeatureStream, open_stream
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Stage, Told
from medunsup.reduction.streaming import SAMPLE, RowSample
from medunsup.workflows.cluster.data import ClusterData, known_classes
from medunsup.workflows.cluster.described import clusters_of, effects_of
from medunsup.workflows.cluster.fitted import verdict
from medunsup.workflows.cluster.method import maker
from medunsup.workflows.cluster.number import choose, compared_rows, stability_of
from medunsup.workflows.cluster.pictures import maps_of
from medunsup.workflows.cluster.seeds import agreement, figures
from medunsup.workflows.cluster.settings import OF_STREAM, ClusterSettings
from medunsup.workflows.cluster.site import site_finding

DRAWN = 5_000  # rows of the sample that the page shows

Floats = NDArray[np.float64]
Batches = Callable[[], Iterator[Floats]]


def open_rows(path: str | Path, settings: ClusterSettings) -> FeatureStream:
    """Open a table that is read in batches. UsageError for a choice that cannot be followed so."""
    if settings.method != OF_STREAM:
        raise UsageError(
            f"{option('stream', True)} reads rows in batches, which {settings.method} cannot be fitted by. "
            f"Give {option('method', OF_STREAM)}."
        )
    if settings.harmonise:
        raise UsageError(
            f"{option('harmonise')} needs all rows in memory. Leave it or {option('stream', True)} out."
        )
    if settings.drop_incomplete:
        raise UsageError(
            f"{option('drop_incomplete', True)} needs all rows in memory: a stream takes all of them."
        )
    named = dict.fromkeys([*settings.covariates, *filter(None, (settings.truth,))])
    stream = open_stream(path, covariates=tuple(named))
    most = len(stream.names)
    if settings.components is not None and settings.components > most:
        raise UsageError(
            f"{settings.components} components of {most} features: give {option('components', str(most))} at "
            "most."
        )
    return stream


def streamed(
    stream: FeatureStream, settings: ClusterSettings, told: Told
) -> tuple[ClusterResult, FittedClusters, ClusterResult]:
    """Cluster all rows; return what was found, what was fitted, and the part that a page can show."""
    preparation, chosen, data = _read(stream, settings, told)
    rows = preparation.transform(data.values)

    def batches() -> Iterator[Floats]:
        return (preparation.transform(batch) for batch in stream.batches())

    told(Stage("counting clusters"))
    asked = maker(OF_STREAM, settings.parameters)
    compared = compared_rows(data.values, preparation, None, {}, data.groups)
    choice = choose(asked, compared, settings.k, max_k=settings.max_k, seed=settings.seed)
    k = choice.k if choice is not None and settings.k == "auto" else int(settings.k)
    models = _fit(asked, k, settings, batches, told)
    first, labels = models[0], [one.labels_ for one in models]
    k_found, of_sample = max(first.n_clusters_, 1), [one[chosen] for one in labels]
    typicality = np.full(len(stream), np.nan)
    typicality[chosen] = first.of_subjects(data.groups).typicality_of_sample()
    told(Stage("comparing"))
    measured = k if k > 1 else (choice.compared if choice is not None else 1)
    stability = stability_of(asked.name, asked, compared, measured, choice, settings.seed)
    clusters = clusters_of(
        of_sample[0], k_found, typicality[chosen], preparation.scaled(data.values), stream.names
    )
    site = site_finding(data, settings, of_sample[0], k_found)
    shown = _shown(len(rows), clusters)
    kept_map, maps, of_maps = maps_of(rows[shown], umap=settings.umap, seed=settings.seed, told=told)
    if kept_map:
        kept_map["labels"] = of_sample[0][shown].astype(np.float64)
    result = ClusterResult(
        method=asked.name,
        verdict=verdict(choice, k, first, site),
        labels=labels[0],
        probabilities=np.concatenate([first.predict_proba(batch) for batch in batches()]),
        typicality=typicality,
        keys=stream.table.keys,
        covariates=_without(stream.table, settings.truth),
        names=stream.names,
        choice=choice,
        stability=replace(stability, seeds=agreement(of_sample)),
        figures=figures(of_sample, rows, k_found, data.truth[1]),
        clusters=_of_all(clusters, labels[0], chosen),
        effects=effects_of(
            of_sample[0], first.n_clusters_, data.table.covariates, settings.seed, data.subjects
        ),
        site=site,
        truth=known_classes(stream.table, settings.truth),
        remarks=(*first.remarks_, *_of_sample(len(chosen), len(stream)), *of_maps),
        about=_about(stream, settings, first),
    )
    part = _part(result, chosen, shown, maps)
    return result, FittedClusters(preparation, first, kept_map), part


def _read(
    stream: FeatureStream, settings: ClusterSettings, told: Told
) -> tuple[Preparation, NDArray[np.intp], ClusterData]:
    """Learn the scale of all rows, and draw those that are kept."""
    told(Stage("reading"))
    sample = RowSample(SAMPLE, settings.seed)

    def batches() -> Iterator[Floats]:
        for batch in stream.batches():
            sample.add(batch)
            yield batch

    preparation = Preparation(components=settings.components).fit_stream(batches)
    chosen, values = sample.drawn()
    table = stream.table.rows(chosen)
    rows = FeatureTable(
        values, stream.names, table.keys, _without(table, settings.truth), stream.table.attributes
    )
    return preparation, chosen, ClusterData(rows, known_classes(table, settings.truth))


def _fit(
    asked: Any, k: int, settings: ClusterSettings, batches: Batches, told: Told
) -> list[MiniBatchKMeans]:
    seeds = range(settings.seed, settings.seed + (settings.seeds if k > 1 else 1))
    models = []
    for n, seed in enumerate(seeds):
        told(Stage(f"{asked.name}, seed {n + 1} of {len(seeds)}", n / len(seeds)))
        models.append(asked(k, seed).fit_stream(batches))
    return models


def _without(table: FeatureTable, truth: str | None) -> dict[str, Any]:
    return {name: of for name, of in table.covariates.items() if name != truth}


def _shown(n: int, clusters: tuple[OneCluster, ...]) -> NDArray[np.intp]:
    """Choose rows of the sample for the page: some thousand, and all that stand for a cluster."""
    named = [row for one in clusters for row in (*one.exemplars, *one.outliers)]
    evenly = np.linspace(0, n - 1, min(DRAWN, n)).astype(np.intp)
    return np.unique(np.concatenate([evenly, np.array(named, np.intp)]))


def _of_all(
    clusters: tuple[OneCluster, ...], labels: Labels, chosen: NDArray[np.intp]
) -> tuple[OneCluster, ...]:
    """Count all rows of clusters that are described by some, and number their rows as in the table."""
    counts = np.bincount(labels, minlength=len(clusters))
    return tuple(
        replace(
            one,
            n=int(counts[one.label]),
            share=float(counts[one.label] / len(labels)),
            exemplars=tuple(int(chosen[row]) for row in one.exemplars),
            outliers=tuple(int(chosen[row]) for row in one.outliers),
        )
        for one in clusters
    )


def _of_sample(n: int, n_rows: int) -> tuple[str, ...]:
    if n == n_rows:
        return ()
    return (
        f"The table was read in batches: every row has its cluster, but typicality, figures, effects and "
        f"pictures are of {n} rows drawn from {n_rows}.",
    )


def _about(stream: FeatureStream, settings: ClusterSettings, model: MiniBatchKMeans) -> dict[str, Any]:
    return {
        "asked": settings.k,
        "features": len(stream.names),
        "seed": settings.seed,
        "seeds": settings.seeds,
        "components": settings.components,
        "harmonise": None,
        "covariates": list(_without(stream.table, settings.truth)),
        "parameters": model.get_params(),
        "streamed": True,
    }


def _part(
    result: ClusterResult, chosen: NDArray[np.intp], shown: NDArray[np.intp], maps: dict[str, Floats]
) -> ClusterResult:
    """Return the rows that a page shows, with the clusters of all."""
    which = chosen[shown]
    place = {int(row): n for n, row in enumerate(which)}

    def some(cells: Any) -> list[Any]:
        return [cells[row] for row in which]

    return replace(
        result,
        labels=result.labels[which],
        probabilities=result.probabilities[which],
        typicality=result.typicality[which],
        keys={name: some(of) for name, of in (result.keys or {"scan": _numbers(result)}).items()},
        covariates={name: some(of) for name, of in result.covariates.items()},
        truth=(result.truth[0], some(result.truth[1]) if result.truth[0] else ()),
        maps=maps,
        clusters=tuple(
            replace(
                one,
                exemplars=tuple(place[row] for row in one.exemplars if row in place),
                outliers=tuple(place[row] for row in one.outliers if row in place),
            )
            for one in result.clusters
        ),
    )


def _numbers(result: ClusterResult) -> list[str]:
    return [f"row {n + 1}" for n in range(len(result.labels))]
