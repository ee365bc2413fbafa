"""Tables of the page: sites and known classes in each cluster, features, figures, baselines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.cohort.clusters.parts import OverSeeds
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.clusters.words import OF_FIGURE
from medunsup.report.base.numbers import minus

FEATURES_A_CLUSTER = 6
MOST_WORDS = 12
STRONG = 2.0  # standard deviations at which the colour of a feature is full


@dataclass(frozen=True)
class Counts:
    """How often each word occurs in each cluster; `rows` hold a cluster and its counts."""

    words: tuple[str, ...]
    rows: tuple[tuple[int, tuple[int, ...]], ...]


def counts(result: ClusterResult, cells: Sequence[str]) -> Counts | None:
    """Count words by cluster, the commonest first; None if there are none. Unknown ones are left out."""
    words, numbers = np.unique([cell for cell in cells if cell.strip()], return_counts=True)
    shown = [str(word) for word in words[np.argsort(-numbers, kind="stable")][:MOST_WORDS]]
    if not shown:
        return None
    of, labels = np.array(cells), result.labels
    found = [label for label in (*range(result.k), -1) if (labels == label).any()]
    return Counts(
        tuple(shown),
        tuple((label, tuple(int((of[labels == label] == word).sum()) for word in shown)) for label in found),
    )


def site_cells(result: ClusterResult) -> Sequence[str]:
    """Return the site of each row; nothing where it is not known."""
    if result.site is None:
        return ()
    column = result.site.column
    return result.covariates.get(column, result.keys.get(column, ()))


def features(result: ClusterResult) -> tuple[tuple[str, tuple[tuple[str, str, float], ...]], ...]:
    """List the features that differ most in any cluster: mean in each, "more" or "less", and how strong.

    A cluster without rows, such as those in which no new row is, has a dash.
    """
    profiles = [one.profile for one in result.clusters]
    chosen = dict.fromkeys(name for each in profiles for name in list(each)[:FEATURES_A_CLUSTER])
    return tuple(
        (
            name,
            tuple(_heat(each.get(name)) for each in profiles),
        )
        for name in chosen
    )


def _heat(mean: float | None) -> tuple[str, str, float]:
    if mean is None:
        return "–", "", 0.0
    return minus(f"{mean:+.2f}"), "more" if mean > 0 else "less", round(min(1.0, abs(mean) / STRONG), 2)


def figures(result: ClusterResult) -> tuple[tuple[str, str, str], ...]:
    """List figures over seeds: name, mean and deviation, interval."""
    found = {OF_FIGURE[name]: of for name, of in result.figures.items()}
    stability = result.stability
    if stability is not None and stability.halves is not None:
        found[f"{OF_FIGURE['stability']} ({stability.method}, {stability.k} clusters)"] = stability.halves
    if stability is not None and stability.seeds is not None:
        found["agreement of seeds, least to most"] = stability.seeds
    return tuple((name, spread(of), interval(of)) for name, of in found.items() if of.mean == of.mean)


def baselines(result: ClusterResult) -> tuple[tuple[str, str, str, str, str], ...]:
    """List baselines: name, figure, its value, the difference with its interval, what may be said."""
    found = []
    for one in result.baselines:
        for name, of in one.figures.items():
            compared = one.comparisons.get(name)
            difference, said = "", "not compared"
            if compared is not None:
                it = compared.difference
                difference, said = f"{it.value:+.3f}", "one seed: too few to tell"
                if it.low == it.low:
                    difference, said = f"{difference} [{it.low:+.3f}, {it.high:+.3f}]", compared.verdict
            found.append((one.name, OF_FIGURE[name], spread(of), minus(difference), said))
    return tuple(found)


def spread(of: OverSeeds) -> str:
    """Write a mean with its standard deviation; of one value alone."""
    return minus(f"{of.mean:.3f}") + (f" ± {of.sd:.3f}" if of.sd == of.sd else "")


def interval(of: OverSeeds) -> str:
    """Write an interval; nothing of one value."""
    return minus(f"{of.low:.3f} to {of.high:.3f}") if of.low == of.low else ""
