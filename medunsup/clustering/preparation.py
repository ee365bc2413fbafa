"""What is done to features before they are clustered: sites harmonised, one scale, fewer axes."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.choosing.fits import Labels, Prepare
from medunsup.clustering.combat import ComBat
from medunsup.clustering.covariates import CovariateCoding
from medunsup.clustering.stored import State
from medunsup.reduction.streaming import Batches, Moments, checked_batches

Floats = NDArray[np.float64]
Words = Mapping[str, Sequence[str]]

OF_COMBAT = ("shift_", "scale_", "mean_", "spread_", "effects_", "_centre", "_width")
COMBAT = "combat."


class Preparation:
    """Harmonise by ComBat if sites are given, bring features to mean 0 and deviation 1, take components.

    Parameters
    ----------
    components : int, optional
        Principal components to keep; all features if not given.
    """

    def __init__(self, *, components: int | None = None) -> None:
        self.components = components
        self.combat: ComBat | None = None
        self.axes: Floats | None = None

    def fit(
        self, values: Floats, sites: Sequence[str] | None = None, covariates: Words | None = None
    ) -> Self:
        """Learn from rows (N, D). Raises ArrayError if sites and covariates cannot be told apart."""
        if sites is not None:
            self.combat = ComBat().fit(values, sites, covariates or None)
        rows = self._harmonised(values, sites, covariates)
        self.mean, self.spread = _scale_of(rows)
        if self.components is not None:
            self.axes = _axes(self._scaled(rows), self.components)
        return self

    def fit_stream(self, batches: Batches) -> Self:
        """Learn scale and components from rows that come in batches; sites are not harmonised.

        Raises ArrayError for too many features to keep their covariance.
        """
        moments = Moments()
        for rows in checked_batches(batches):
            moments.add(rows)
        covariance = moments.covariance
        spread = np.sqrt(np.diag(covariance))
        self.mean, self.spread = moments.mean, np.where(moments.is_constant | (spread == 0), 1.0, spread)
        if self.components is not None:
            axes = np.linalg.eigh(covariance / np.outer(self.spread, self.spread))[1]
            self.axes = _turned(axes.T[::-1][: self.components])
        return self

    def transform(
        self, values: Floats, sites: Sequence[str] | None = None, covariates: Words | None = None
    ) -> Floats:
        """Prepare rows, each by itself. Raises ArrayError for a site that was not fitted."""
        rows = self._scaled(self._harmonised(values, sites, covariates))
        return rows if self.axes is None else _on_axes(rows, self.axes)

    def scaled(
        self, values: Floats, sites: Sequence[str] | None = None, covariates: Words | None = None
    ) -> Floats:
        """Return rows harmonised and on one scale, but with all features."""
        return self._scaled(self._harmonised(values, sites, covariates))

    def state(self) -> State:
        """Return what was learned as arrays by name."""
        found: State = {"mean": self.mean, "spread": self.spread}
        if self.axes is not None:
            found["axes"] = self.axes
        if self.combat is not None:
            found |= {COMBAT + name.strip("_"): np.asarray(getattr(self.combat, name)) for name in OF_COMBAT}
        return found

    def described(self) -> dict[str, Any]:
        """Return what else is needed to open it again, as plain values."""
        combat = self.combat
        levels = None if combat is None else combat._coding._columns
        return {
            "components": self.components,
            "sites": None if combat is None else list(combat.sites_),
            "covariates": levels,
        }

    @classmethod
    def opened(cls, state: Mapping[str, NDArray[Any]], described: Mapping[str, Any]) -> "Preparation":
        """Return what `state` and `described` tell of."""
        made = cls(components=described["components"])
        made.mean, made.spread, made.axes = state["mean"], state["spread"], state.get("axes")
        if described["sites"] is not None:
            combat = ComBat()
            combat.sites_ = tuple(described["sites"])
            combat._coding = CovariateCoding.of(described["covariates"])
            for name in OF_COMBAT:
                setattr(combat, name, state[COMBAT + name.strip("_")])
            combat.n_features_in_ = len(made.mean)
            combat.remarks_ = []
            made.combat = combat
        return made

    def _harmonised(self, values: Floats, sites: Sequence[str] | None, covariates: Words | None) -> Floats:
        if self.combat is None or sites is None:
            return values
        return self.combat.transform(values, sites, covariates or None)

    def _scaled(self, rows: Floats) -> Floats:
        return (rows - self.mean) / self.spread


def within_folds(sites: Sequence[str] | None, covariates: Words | None, components: int | None) -> Prepare:
    """Return what prepares rows by some of them alone, for resampling.

    Rows of a site that is not among those are only scaled; covariates that these cannot tell from the sites
    are left out of the harmonising.
    """
    names = None if sites is None else np.array([str(site).strip() for site in sites])
    columns = np.zeros((0 if names is None else len(names), 0))
    if names is not None and covariates:
        columns = CovariateCoding(covariates).matrix(covariates, len(names))

    def prepare(rows: Floats, which: Labels) -> Floats:
        ready = rows if names is None else _harmonised_by(rows, names, columns, which)
        mean, spread = _scale_of(ready[which])
        scaled = (ready - mean) / spread
        return scaled if components is None else _on_axes(scaled, _axes(scaled[which], components))

    return prepare


def _harmonised_by(rows: Floats, names: NDArray[Any], columns: Floats, which: Labels) -> Floats:
    there = np.unique(names[which])
    if len(there) < 2:
        return rows
    kept = columns[:, _told_apart(names[which][:, None] == there, columns[which])]
    combat = ComBat().fit(rows[which], names[which].tolist(), kept[which] if kept.shape[1] else None)
    known = np.isin(names, there)
    found = rows.copy()
    of = kept[known] if kept.shape[1] else None
    found[known] = combat.transform(rows[known], names[known].tolist(), of)
    return found


def _told_apart(is_site: NDArray[np.bool_], columns: Floats) -> list[int]:
    """Return the columns that add something to the sites and to those before them."""
    design, kept = is_site.astype(np.float64), []
    for n, column in enumerate(columns.T):
        spread = column.std()
        if not spread or len(design) <= design.shape[1] + 1:
            continue
        wider = np.column_stack([design, (column - column.mean()) / spread])
        if np.linalg.matrix_rank(wider) == wider.shape[1]:
            design = wider
            kept.append(n)
    return kept


def _scale_of(rows: Floats) -> tuple[Floats, Floats]:
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    is_constant = (rows == rows[:1]).all(axis=0) | (spread == 0)
    return mean, np.where(is_constant, 1.0, spread)


def _axes(rows: Floats, components: int) -> Floats:
    """Return principal axes (at most components, D), each pointing to where its largest entry is positive."""
    return _turned(np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:components])


def _turned(axes: Floats) -> Floats:
    largest = np.abs(axes).argmax(axis=1)
    return axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]


def _on_axes(rows: Floats, axes: Floats) -> Floats:
    found: Floats = np.einsum("nf,kf->nk", rows, axes)  # a row comes out alone as in a batch
    return found
