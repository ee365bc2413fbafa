"""How many clusters there are, and whether they come again: by the rule, beside rows without clusters."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.choosing.choose import KChoice, choose_k
from medunsup.clustering.choosing.fits import Make, Prepare, agreements
from medunsup.clustering.choosing.judge import judge_k
from medunsup.clustering.preparation import Preparation, within_folds
from medunsup.clustering.subjects import count, subjects_of
from medunsup.cohort.clusters.parts import Stability
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.workflows.cluster.method import Maker, maker
from medunsup.workflows.cluster.seeds import over_halves

FEWEST = 16
MOST_COMPARED = 1_000  # rows of the comparison, which fits a method some hundred times
HALVINGS = 10
STAND_IN = "gmm"  # for methods that take long

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Compared:
    """Rows that K is chosen on: all, or evenly taken ones of very many."""

    rows: Floats
    like: Floats
    sites: Sequence[str] | None
    kept: Mapping[str, Sequence[str]]
    components: int | None
    groups: Sequence[Hashable] | None = None

    @property
    def n_subjects(self) -> int:
        """Number of subjects, each row one where they are not known."""
        return count(subjects_of(self.groups, len(self.rows)), len(self.rows))

    @property
    def prepare(self) -> Prepare:
        """What harmonises and scales rows by some of them."""
        return within_folds(self.sites, self.kept, self.components)


def compared_rows(
    values: Floats,
    preparation: Preparation,
    sites: Sequence[str] | None,
    kept: Mapping[str, Sequence[str]],
    groups: Sequence[Hashable] | None,
) -> Compared:
    """Choose the rows that are compared, with all rows of a subject."""
    n = len(values)
    chosen = np.arange(n)
    if n > MOST_COMPARED:
        chosen = _evenly(n, groups)
    spread = values.std(axis=0)
    scaled = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return Compared(
        scaled[chosen],
        preparation.scaled(values, sites, kept)[chosen],
        None if sites is None else [sites[row] for row in chosen.tolist()],
        {name: [of[row] for row in chosen.tolist()] for name, of in kept.items()},
        preparation.components,
        None if groups is None else [groups[row] for row in chosen.tolist()],
    )


def _evenly(n: int, groups: Sequence[Hashable] | None) -> NDArray[np.intp]:
    subjects = subjects_of(groups, n)
    n_subjects = count(subjects, n)
    most = max(2, MOST_COMPARED * n_subjects // n)
    taken = np.linspace(0, n_subjects - 1, most).astype(np.intp)
    return taken if subjects is None else np.flatnonzero(np.isin(subjects, taken))


def stand_in(found: Maker) -> Maker:
    """Return what is fitted a hundred times in the place of a method: itself, unless it takes long."""
    return maker(STAND_IN, {}) if found.is_deep else found


def choose(make: Make, compared: Compared, k: int | str, *, max_k: int, seed: int) -> KChoice | None:
    """Choose the number of clusters, or hold the given one against the rule; None of too few rows.

    Raises UsageError if it is to be chosen of too few rows.
    """
    n = compared.n_subjects
    if n < FEWEST:
        if k == "auto":
            what = "rows" if n == len(compared.rows) else "subjects"
            raise UsageError(
                f"{n} {what} are too few to tell how many clusters there are; {FEWEST} are needed. Give "
                f"{option('k', '2')}, or another number, and clusters are made all the same."
            )
        return None
    if k == "auto":
        return choose_k(
            make,
            compared.rows,
            ks=range(1, max_k + 1),
            seed=seed,
            prepare=compared.prepare,
            drawn_from=compared.like,
            groups=compared.groups,
        )
    return judge_k(
        make,
        compared.rows,
        int(k),
        seed=seed,
        prepare=compared.prepare,
        drawn_from=compared.like,
        groups=compared.groups,
    )


def agreements_of(make: Make, compared: Compared, k: int, seed: int) -> list[float]:
    """Return how well clusters of two halves agree, in each of ten halvings."""
    return agreements(
        make,
        compared.rows,
        k,
        halvings=HALVINGS,
        generator=np.random.default_rng(seed),
        prepare=compared.prepare,
        subjects=subjects_of(compared.groups, len(compared.rows)),
    )


def stability_of(
    name: str, make: Make, compared: Compared, k: int, choice: KChoice | None, seed: int
) -> Stability:
    """Measure how well clusters of halves agree, beside the draws without clusters."""
    halves = None
    if k > 1 and compared.n_subjects >= max(FEWEST, 2 * k):
        halves = over_halves(agreements_of(make, compared, k, seed))
    nulls = () if choice is None else choice.nulls
    return Stability(name, k, halves, nulls, None, len(compared.rows))
