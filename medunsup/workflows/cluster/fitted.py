"""Clusters made of rows: prepared, counted, fitted with several seeds, described, beside baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Clustering
from medunsup.clustering.choosing.choose import KChoice
from medunsup.clustering.methods.kmeans import KMeans
from medunsup.clustering.preparation import Preparation
from medunsup.clustering.subjects import count
from medunsup.cohort.clusters.folder import FittedClusters
from medunsup.cohort.clusters.parts import SiteFinding, Stability
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.core.errors import ArrayError, UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Stage, Told
from medunsup.workflows.cluster.baselines import baselines
from medunsup.workflows.cluster.data import ClusterData
from medunsup.workflows.cluster.described import clusters_of, effects_of
from medunsup.workflows.cluster.method import Maker, maker
from medunsup.workflows.cluster.number import (
    MOST_COMPARED,
    Compared,
    choose,
    compared_rows,
    stability_of,
    stand_in,
)
from medunsup.workflows.cluster.pictures import maps_of
from medunsup.workflows.cluster.seeds import agreement, figures, fit_seeds, kept_seeds
from medunsup.workflows.cluster.settings import ClusterSettings
from medunsup.workflows.cluster.site import about_sites, site_finding

IMAGE_AXES = 50  # principal components of images, on which clusters are counted and drawn


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows as they are clustered: features prepared, and what the method is fitted on."""

    preparation: Preparation
    features: NDArray[np.float64]
    inputs: NDArray[Any]
    compared: Compared


def fitted(
    data: ClusterData, settings: ClusterSettings, out: Path | None, told: Told
) -> tuple[ClusterResult, FittedClusters]:
    """Cluster rows, and say whether there are clusters."""
    asked = maker(settings.method, settings.parameters, data)
    _check_rows(data, settings)
    sites, kept = data.sites(settings.harmonise), data.kept(settings.covariates if settings.harmonise else ())
    remarks = [*_of_rows(data), *about_sites(data, settings)]
    rows = _prepared(data, settings, sites, kept)
    told(Stage("counting clusters"))
    judge = stand_in(asked)
    choice = choose(judge, rows.compared, settings.k, max_k=settings.max_k, seed=settings.seed)
    k = choice.k if choice is not None and settings.k == "auto" else int(settings.k)
    model, labels = _fit(asked, rows, k, settings, out, told)
    combat = rows.preparation.combat
    remarks += [*(combat.remarks_ if combat is not None else ()), *model.remarks_]
    remarks += _of_comparison(asked, judge, rows)
    n_clusters = max(model.n_clusters_, 1)
    told(Stage("comparing"))
    stability = _stability(judge, rows, k, choice, labels, settings)
    own = dict(figures(labels, rows.features, n_clusters, data.truth[1]))
    seeds = range(settings.seed, settings.seed + settings.seeds)
    beside, more = baselines(asked, rows.features, k, seeds, own, stability, rows.compared, data.truth[1])
    kept_map, maps, of_maps = maps_of(rows.features, umap=settings.umap, seed=settings.seed, told=told)
    model.of_subjects(data.groups)
    typicality = model.typicality() if model.n_clusters_ else np.ones(len(rows.features))
    standard = rows.preparation.scaled(data.values, sites, kept)
    names = () if data.images is not None else tuple(data.table.names)
    site = site_finding(data, settings, model.labels_, n_clusters)
    result = ClusterResult(
        method=asked.name,
        verdict=verdict(choice, k, model, site),
        labels=model.labels_,
        probabilities=_shares(model, rows.inputs),
        typicality=typicality,
        keys=data.table.keys,
        covariates=data.table.covariates,
        names=names,
        choice=choice,
        stability=stability,
        figures=own,
        baselines=beside,
        clusters=clusters_of(model.labels_, n_clusters, typicality, standard, names),
        effects=effects_of(
            model.labels_, model.n_clusters_, data.table.covariates, settings.seed, data.subjects
        ),
        site=site,
        maps=maps,
        truth=data.truth,
        remarks=(*remarks, *more, *of_maps),
        about=_about(data, settings, model),
    )
    return result, FittedClusters(rows.preparation, model, kept_map)


def verdict(choice: KChoice | None, k: int, model: Clustering, site: SiteFinding | None) -> str:
    """Say in words whether there are clusters, and which of them are a site."""
    if choice is None:
        text = f"{k} clusters were made as asked for; rows are too few to tell whether they are there."
    else:
        text = choice.verdict
    if model.n_clusters_ != k:
        text += f" {model.n_clusters_} of them hold rows."
    said = [] if site is None else [f"Cluster {n} is the site {name}." for n, name in site.clusters.items()]
    return " ".join([text, *said])


def _check_rows(data: ClusterData, settings: ClusterSettings) -> None:
    n = len(data.table)
    if n < 2:
        raise UsageError(
            f"There is {n} row: clusters need two rows at least, and 16 to tell whether they are there."
        )
    if settings.k != "auto" and settings.k > n:
        raise UsageError(
            f"{settings.k} clusters of {n} rows cannot be made: each needs a row. Give "
            f"{option('k', 'auto')}, or {n} at most."
        )
    if not np.ptp(data.values, axis=0).any():
        raise UsageError(f"All {n} rows are equal in every feature: there is nothing to compare.")


def _of_rows(data: ClusterData) -> list[str]:
    """Say what should be known of the rows."""
    found = []
    n = len(data.table)
    n_subjects = count(data.subjects, n)
    n_equal = n - len(np.unique(data.values, axis=0))
    if n_equal:
        found.append(
            f"{n_equal} of {n} rows equal another one: the same scan twice makes clusters look more stable "
            "than they are. Leave one of each out."
        )
    if n_subjects < n:
        found.append(
            f"{n} rows are of {n_subjects} subjects: a subject's rows are in the same half and fold, and it "
            "counts once in stability, p-values, intervals and typicality."
        )
    return found


def _prepared(
    data: ClusterData,
    settings: ClusterSettings,
    sites: Sequence[str] | None,
    kept: Mapping[str, Sequence[str]],
) -> Rows:
    axes = settings.components
    most = min(data.values.shape[1], len(data.table) - 1)
    if axes is not None and axes > most:
        raise UsageError(
            f"{axes} components of {data.values.shape[1]} features and {len(data.table)} rows: give "
            f"{option('components', str(most))} at most."
        )
    if data.images is not None:
        axes = axes or min(IMAGE_AXES, most)
    try:
        preparation = Preparation(components=axes).fit(data.values, sites, kept)
    except ArrayError as error:
        raise UsageError(f"{option('harmonise')}: {error}") from error
    features = preparation.transform(data.values, sites, kept)
    inputs = features if data.images is None else data.images
    return Rows(
        preparation, features, inputs, compared_rows(data.values, preparation, sites, kept, data.groups)
    )


def _fit(
    asked: Maker, rows: Rows, k: int, settings: ClusterSettings, out: Path | None, told: Told
) -> tuple[Clustering, list[NDArray[np.int64]]]:
    """Fit with all seeds; one cluster of all rows by k-means, which every method would make."""
    if k == 1:
        model: Clustering = KMeans(n_clusters=1).fit(rows.features)
        return model, [model.labels_]
    seeds = range(settings.seed, settings.seed + settings.seeds)
    return fit_seeds(asked, rows.inputs, k, seeds, kept_seeds(out, asked, k, rows.inputs), told)


def _shares(model: Clustering, inputs: NDArray[Any]) -> NDArray[np.float64]:
    if not model.n_clusters_:
        return np.ones((len(model.labels_), 1))
    if isinstance(model, KMeans) and model.n_clusters == 1:
        return np.ones((len(model.labels_), 1))
    return model.predict_proba(inputs)


def _stability(
    judge: Maker,
    rows: Rows,
    k: int,
    choice: KChoice | None,
    labels: Sequence[NDArray[np.int64]],
    settings: ClusterSettings,
) -> Stability:
    measured = k if k > 1 else (choice.compared if choice is not None else 1)
    found = stability_of(judge.name, judge, rows.compared, measured, choice, settings.seed)
    return replace(found, seeds=agreement(labels))


def _of_comparison(asked: Maker, judge: Maker, rows: Rows) -> list[str]:
    found = []
    if judge.name != asked.name:
        found.append(
            f"{asked.name} takes too long to be fitted a hundred times: whether there are clusters, and how "
            f"stable they are, was asked of {judge.name} on the same features."
        )
    if len(rows.compared.rows) == MOST_COMPARED < len(rows.features):
        found.append(
            f"Whether there are clusters was asked of {MOST_COMPARED} of {len(rows.features)} rows, evenly "
            "taken."
        )
    return found


def _about(data: ClusterData, settings: ClusterSettings, model: Clustering) -> dict[str, Any]:
    return {
        "asked": settings.k,
        "features": data.values.shape[1],
        "seed": settings.seed,
        "seeds": settings.seeds,
        "components": settings.components,
        "harmonise": settings.harmonise,
        "covariates": list(data.table.covariates),
        "parameters": model.get_params(),
    }
