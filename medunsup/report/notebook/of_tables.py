"""Cards of many scans or images: tables of features, maps, clusters, probes, evaluations."""

from math import isfinite
from typing import Any

import numpy as np
from markupsafe import Markup

from medunsup.anomaly.calibration import Calibration
from medunsup.anomaly.evaluation import Evaluation
from medunsup.cohort.batch import CohortResult, Outcome
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.encoders.probed import ProbeResult
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.maps.result import ReductionResult
from medunsup.metrics.bootstrap import Estimate
from medunsup.report.notebook.card import MOST_ROWS, Card
from medunsup.report.notebook.pictures import dots
from medunsup.report.probe import words as probe_words
from medunsup.supervised.class_prediction import ImagePredictions

MOST_COLUMNS = 6


def of_cohort(result: CohortResult[Outcome]) -> Card:
    """Show what became of each scan, those without a result first."""
    ordered = sorted(result.scans, key=lambda scan: scan.status not in ("error", "not run"))
    rows = [
        (one.scan.name, one.status, getattr(one, "verdict", None) or "", one.error or "") for one in ordered
    ]
    n, failed = len(result.scans), result.n_failed
    return Card(
        f"{n} scan{'s' if n != 1 else ''}",
        verdict=f"{failed} without a result" if failed else "All have a result",
        tone="bad" if failed else "good",
        facts={} if result.group_page is None else {"page": result.group_page},
        head=("scan", "status", "verdict", "error"),
        rows=rows,
        sentences=result.warnings,
    )


def of_clusters(result: ClusterResult) -> Card:
    """Show whether there are clusters, the rows on a map, and each cluster."""
    places = next(iter(result.maps.values()), np.zeros((0, 2)))
    rows = [
        (one.label, one.n, f"{100 * one.share:.0f} %", ", ".join(list(one.profile)[:3]))
        for one in result.clusters
    ]
    return Card(
        f"{len(result.labels)} rows",
        result.method,
        result.verdict,
        "good" if result.is_found else "look",
        dots(places, result.labels),
        head=("cluster", "rows", "share", "differs most in"),
        rows=rows,
        sentences=result.remarks,
    )


def of_reduction(result: ReductionResult) -> Card:
    """Show the rows on their first two axes, and how far neighbours can be trusted."""
    facts = {}
    if result.figures is not None:
        facts = {"trustworthiness": result.figures.trustworthiness, "continuity": result.figures.continuity}
    groups = _groups(result.colour[1])
    picture = dots(result.places, groups)
    return Card(
        f"{len(result.places)} rows", result.method, picture=picture, facts=facts, sentences=result.remarks
    )


def of_probe(result: ProbeResult) -> Card:
    """Show what may be said at each share of the labels."""
    shown, said = probe_words.verdict(result)
    rows = [(one.n_labels, _estimate(one.difference), one.said, one.baseline) for one in result.verdicts]
    tone = {"pass": "good", "check": "look", "fail": "bad"}.get(shown, "plain")
    picture = dots(result.picture, result.test_classes.astype(np.int64))
    head = ("labels", "AUC less the baseline's", "said", "baseline")
    return Card(
        "Probe", f"{len(result.classes)} classes", said.title, tone, picture, {}, head, rows, result.remarks
    )


def of_evaluation(result: Evaluation) -> Card:
    """Show the model beside its baselines."""
    rows = [
        (
            one.name,
            _estimate(one.figures.get("average_precision")),
            _estimate(one.figures.get("oracle_dice")),
            _estimate(one.scan_auroc),
        )
        for one in result.figures.methods
    ]
    ill = sum(case.is_ill for case in result.cases)
    return Card(
        "Evaluation",
        f"{len(result.cases)} scans, {ill} of patients",
        facts={name: value for name, value in result.about.items() if isinstance(value, str | int | float)},
        head=("method", "average precision", "oracle Dice", "scan AUROC"),
        rows=rows,
    )


def of_features(table: FeatureTable) -> Card:
    """Show the first rows and features."""
    names = table.names[:MOST_COLUMNS]
    rows = [
        (table.label(n), *(float(value) for value in table.values[n][:MOST_COLUMNS]))
        for n in range(len(table))
    ]
    more = len(table.names) - len(names)
    sentences = [f"… and {more} more features"] if more > 0 else []
    return Card(
        f"{len(table)} rows, {len(table.names)} features",
        head=("row", *names),
        rows=rows,
        sentences=sentences,
    )


def of_images(result: ImagePredictions) -> Card:
    """Show how many images each class was given to, and the first of them."""
    shares = result.probabilities.max(axis=1)
    rows = [
        (name, of, f"{share:.2f}")
        for name, of, share in zip(result.names, result.predicted, shares, strict=True)
    ]
    head = ("image", "likeliest class", "probability")
    return Card(
        f"{len(result.names)} images",
        "nobody has checked it",
        "",
        "plain",
        Markup(),
        result.counts,
        head,
        rows,
        result.remarks,
    )


def of_sent(result: Any) -> Card:
    """Show what became of files that were sent; the result is made by a workflow, so it comes untyped."""
    ordered = sorted(result.files, key=lambda file: file.is_taken)
    missed = result.n_not_taken
    return Card(
        f"{len(result.files)} files to {result.archive}",
        verdict=f"{missed} not taken" if missed else "All were taken",
        tone="bad" if missed else "good",
        head=("file", "kind", "status", "why"),
        rows=[(one.path.name, one.kind, one.status, one.why) for one in ordered],
    )


def of_calibration(result: Calibration) -> Card:
    """Show how many healthy scans there are, and what they can support."""
    scores = result.scan_scores
    facts = {
        "healthy scans": result.n,
        "smallest p-value": f"{1 / (result.n + 1):.3g}",
        "their scores": f"{scores.min():.3g} to {scores.max():.3g}",
    }
    return Card("Calibration", facts=facts)


def _estimate(found: Estimate | None) -> str:
    if found is None or not isfinite(found.value):
        return ""
    ends = f" [{found.low:.3f}, {found.high:.3f}]" if isfinite(found.low) else ""
    return f"{found.value:.3f}{ends}"


def _groups(cells: object) -> "np.ndarray | None":
    """Give each word of a covariate a number; None where nothing colours the map, or words are many."""
    words = list(cells)  # type: ignore[call-overload]
    known = sorted(set(words))
    if not words or len(known) > MOST_ROWS:
        return None
    return np.array([known.index(word) for word in words])
