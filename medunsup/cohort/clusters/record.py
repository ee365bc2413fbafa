"""What was found of clusters as plain values, for clusters.json and for --json."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from medunsup.cohort.clusters.decided import decided
from medunsup.cohort.clusters.parts import Baseline, OverSeeds, SiteFinding, Stability
from medunsup.cohort.clusters.result import ClusterResult


def as_record(result: ClusterResult) -> dict[str, Any]:
    """Return k, verdict, labels, stability, figures with intervals and all else but the tables of rows."""
    choice = result.choice
    return {
        "method": result.method,
        "rows": len(result.labels),
        "k": result.k,
        "verdict": result.verdict,
        "is_found": result.is_found,
        "labels": result.labels.tolist(),
        "stability": _stability(result.stability),
        "figures": _figures(result.figures),
        "decided_by": [{**asdict(one), "is_met": one.is_met} for one in decided(choice)],
        "choice": None if choice is None else {**asdict(choice), "verdict": choice.verdict},
        "baselines": [_baseline(one) for one in result.baselines],
        "clusters": [asdict(one) for one in result.clusters],
        "effects": [asdict(one) for one in result.effects],
        "site": _site(result.site),
        "remarks": list(result.remarks),
        **result.about,
    }


def _figures(figures: Mapping[str, OverSeeds]) -> dict[str, Any]:
    return {name: asdict(of) for name, of in figures.items()}


def _stability(found: Stability | None) -> dict[str, Any] | None:
    if found is None:
        return None
    nulls = {
        null.kind: {"p": null.p, "stability_p": null.stability_p, "tightness_p": null.tightness_p}
        for null in found.nulls
    }
    return {
        "method": found.method,
        "k": found.k,
        "halves": None if found.halves is None else asdict(found.halves),
        "seeds": None if found.seeds is None else asdict(found.seeds),
        "p": found.p,
        "nulls": nulls,
        "rows": found.n_compared,
    }


def _baseline(one: Baseline) -> dict[str, Any]:
    compared = {
        name: {"difference": asdict(of.difference), "verdict": of.verdict}
        for name, of in one.comparisons.items()
    }
    return {"name": one.name, "figures": _figures(one.figures), "comparisons": compared}


def _site(site: SiteFinding | None) -> dict[str, Any] | None:
    if site is None:
        return None
    signal = None if site.signal is None else asdict(site.signal)
    clusters = {str(cluster): name for cluster, name in site.clusters.items()}
    return {
        "column": site.column,
        "is_harmonised": site.is_harmonised,
        "signal": signal,
        "clusters": clusters,
        "why_not": site.why_not,
    }
