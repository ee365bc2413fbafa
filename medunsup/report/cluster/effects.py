"""Covariates of each cluster beside all other rows: effects with intervals, as rows with small pictures."""

from dataclasses import dataclass

from medunsup.cohort.clusters.parts import CovariateEffect
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.report.base.numbers import minus, significant

MOST = 12  # effects of a cluster
WIDTH = 160.0
OF_ALL = "Cramer's V"
SHORT = {"standardised mean difference": "SMD", "risk difference": "RD"}


@dataclass(frozen=True)
class EffectRow:
    """One effect: its words, and places of its interval in a drawing WIDTH wide with 0 in the middle."""

    name: str
    kind: str
    inside: str
    outside: str
    value: str
    is_there: bool
    places: tuple[float, float, float] | None


def effects_by_cluster(result: ClusterResult) -> dict[int, tuple[EffectRow, ...]]:
    """List the effects of each cluster, the largest first; what is left out is in clusters.json."""
    own = [one for one in result.effects if one.cluster is not None and one.value == one.value]
    reach = {
        kind: max([1.0, *(abs(end) for one in own if one.kind == kind for end in (one.low, one.high))])
        for kind in SHORT
    }
    found = {}
    for cluster in result.clusters:
        rows = [one for one in own if one.cluster == cluster.label]
        rows.sort(key=lambda one: (not one.is_there, -abs(one.value)))
        found[cluster.label] = tuple(_row(one, reach[one.kind]) for one in rows[:MOST])
    return {label: rows for label, rows in found.items() if rows}


def over_all(result: ClusterResult) -> tuple[tuple[str, str, int], ...]:
    """List Cramer's V of each covariate of words: name, value with interval, rows."""
    return tuple(
        (one.covariate, f"{one.value:.2f} " + _ends(one), one.n)
        for one in result.effects
        if one.kind == OF_ALL
    )


def _ends(one: CovariateEffect) -> str:
    return f"[{one.low:.2f}, {one.high:.2f}]" if one.low == one.low else "(too few)"


def _row(one: CovariateEffect, reach: float) -> EffectRow:
    is_share = one.kind == "risk difference"
    name = f"{one.covariate} = {one.level}" if one.level else one.covariate
    inside, outside = (
        f"{100 * value:.0f} %" if is_share else significant(value, 3) for value in (one.inside, one.outside)
    )
    ends = (one.low, one.value, one.high)
    is_known = one.low == one.low and one.high == one.high
    places = tuple(round((1 + end / reach) * WIDTH / 2, 1) for end in ends) if is_known else None
    said = (
        f"{one.value:+.2f} [{one.low:+.2f}, {one.high:+.2f}]" if is_known else f"{one.value:+.2f} (too few)"
    )
    return EffectRow(
        name,
        SHORT[one.kind],
        inside,
        outside,
        minus(said),
        one.is_there,
        None if places is None else (places[0], places[1], places[2]),
    )
