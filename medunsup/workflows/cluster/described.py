"""What clusters are: their exemplars and outliers, their features, covariates beside the rest, sites."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.clusters.parts import CovariateEffect, OneCluster
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.metrics.confounding import MISSING
from medunsup.metrics.group_effects import (
    cramers_v,
    mean_difference,
    share_difference,
    subject_numbers,
    weights_of,
)

SHOWN = 8
UNLIKE = 0.05
MOST_LEVELS = 20

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]


def clusters_of(
    labels: Labels, k: int, typicality: Floats, standard: Floats, names: Sequence[str]
) -> tuple[OneCluster, ...]:
    """Describe each cluster, by rows (N, D) on one scale."""
    found = []
    for label in range(k):
        rows = np.flatnonzero(labels == label)
        order = rows[np.argsort(-typicality[rows], kind="stable")]
        strange = [int(row) for row in order[::-1] if typicality[row] <= UNLIKE]
        means = standard[rows].mean(axis=0) if len(rows) and names else np.zeros(0)
        first = np.argsort(-np.abs(means), kind="stable")
        found.append(
            OneCluster(
                label,
                len(rows),
                len(rows) / len(labels),
                tuple(int(row) for row in order[:SHOWN]),
                tuple(strange[:SHOWN]),
                {names[n]: float(means[n]) for n in first},
            )
        )
    return tuple(found)


def effects_of(
    labels: Labels,
    k: int,
    covariates: Mapping[str, Sequence[str]],
    seed: int,
    subjects: Labels | None = None,
) -> tuple[CovariateEffect, ...]:
    """Compare covariates of each cluster with those of all other rows; none where there is one cluster.

    `subjects` (N,) are numbers of the subjects of rows; each counts once.
    """
    if k < 2:
        return ()
    found: list[CovariateEffect] = []
    for name, cells in covariates.items():
        is_known = np.array([cell.strip().lower() not in MISSING for cell in cells])
        words, of = np.array(cells)[is_known], labels[is_known]
        whose = subject_numbers(subjects, len(labels))[is_known]
        numbers = _numbers(words)
        if len(set(words.tolist())) < 2:
            continue
        if numbers is not None and len(set(words.tolist())) > 2:
            found += [_of_number(name, numbers, of == label, label, seed, whose) for label in range(k)]
        elif len(set(words.tolist())) <= MOST_LEVELS:
            found += _of_words(name, words, of, k, seed, whose)
    return tuple(found)


def sites_of(
    labels: Labels, k: int, sites: Sequence[str], seed: int, subjects: Labels | None = None
) -> dict[int, str]:
    """Return clusters that are a site: 9 in 10 of their rows come from it, far more than of other rows."""
    words, found = np.array([site.strip() for site in sites]), {}
    for label in range(k if k > 1 else 0):
        inside = labels == label
        if not inside.any():
            continue
        names, counts = np.unique(words[inside], return_counts=True)
        site = str(names[counts.argmax()])
        if counts.max() >= 0.9 * inside.sum():
            difference = share_difference(words == site, inside, subjects=subjects, seed=seed)
            if difference.low > 0.5:
                found[label] = site
    return found


def confounded_with(sites: Sequence[str], table: FeatureTable, column: str) -> list[str]:
    """Return covariates of which every site has one word alone: taking the site out takes them out."""
    found = []
    for name, cells in table.covariates.items():
        words = set(cells)
        if name == column or not 2 <= len(words) <= MOST_LEVELS:
            continue
        held: dict[str, set[str]] = {}
        for site, cell in zip(sites, cells, strict=True):
            held.setdefault(site, set()).add(cell)
        if all(len(each) == 1 for each in held.values()):
            found.append(name)
    return found


def _numbers(words: NDArray[np.str_]) -> Floats | None:
    try:
        numbers = words.astype(np.float64)
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _of_number(
    name: str, numbers: Floats, inside: NDArray[np.bool_], label: int, seed: int, subjects: NDArray[np.intp]
) -> CovariateEffect:
    effect = mean_difference(numbers, inside, subjects=subjects, seed=seed)
    return CovariateEffect(
        name,
        "",
        label,
        "standardised mean difference",
        _mean(numbers[inside], subjects[inside]),
        _mean(numbers[~inside], subjects[~inside]),
        effect.value,
        effect.low,
        effect.high,
        effect.n,
    )


def _of_words(
    name: str, words: NDArray[np.str_], labels: Labels, k: int, seed: int, subjects: NDArray[np.intp]
) -> list[CovariateEffect]:
    whole, nan = cramers_v(labels, words, subjects=subjects, seed=seed), float("nan")
    found = [
        CovariateEffect(name, "", None, "Cramer's V", nan, nan, whole.value, whole.low, whole.high, whole.n)
    ]
    for label in range(k):
        for level in sorted(set(words.tolist())):
            inside, is_so = labels == label, words == level
            effect = share_difference(is_so, inside, subjects=subjects, seed=seed)
            found.append(
                CovariateEffect(
                    name,
                    level,
                    label,
                    "risk difference",
                    _mean(is_so[inside], subjects[inside]),
                    _mean(is_so[~inside], subjects[~inside]),
                    effect.value,
                    effect.low,
                    effect.high,
                    effect.n,
                )
            )
    return found


def _mean(values: NDArray[Any], subjects: NDArray[np.intp]) -> float:
    """Return the mean in which each subject counts once."""
    return float(np.average(values, weights=weights_of(subjects))) if values.size else float("nan")
