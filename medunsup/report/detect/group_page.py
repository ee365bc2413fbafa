"""The page of many scans that `detect` looked at: the most unusual first, OOD scans apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medunsup.cohort.failed import FailedScan
from medunsup.core.errors import InputError
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.report.base.images import those_that_fit
from medunsup.report.base.render import render
from medunsup.report.base.strip_plot import WIDTH, Strip, strip
from medunsup.report.base.text import DISCLAIMER, NOT_PROCESSED, Shown
from medunsup.report.detect import words
from medunsup.report.detect.group_scan import AnomalyScan, GroupModel, Judged, models_of, shared_remarks
from medunsup.report.detect.group_shift import shift_words


@dataclass(frozen=True)
class JudgedWords:
    """How a verdict is shown, its sign (never colour alone), and what it is called."""

    shown: Shown
    sign: str
    title: str


WORDS: dict[Judged, JudgedWords] = {
    "unusual": JudgedWords("check", "!", "unusual"),
    "not unusual": JudgedWords("partial", "–", "not unusual"),
    "no verdict": JudgedWords("partial", "–", "no verdict"),
    "OOD": JudgedWords("fail", "✕", "OOD"),
    "in the training set": JudgedWords("fail", "✕", "in the training set"),
}


@dataclass(frozen=True)
class ModelStrip:
    """The p-values of all scans that one model looked at; `alphas` are the places of the rates asked for."""

    model: GroupModel
    strip: Strip
    alphas: tuple[float, ...]


def write_group_page(path: Path, scans: Sequence[AnomalyScan], failed: Sequence[FailedScan] = ()) -> Path:
    """Write the page of the scans of its folder that `detect` looked at to `path`, and return that.

    OOD scans, and those in the training set, stand apart; the others come by p-value, model
    by model. Those that `failed` are named first.

    Raises InputError if there is no scan, OutputError if the page cannot be written.
    """
    if not scans:
        raise InputError(
            f"{path.parent}: holds no result of detect (no *_desc-anomaly_mask.json). "
            "Run medunsup detect first."
        )
    models = models_of(scans)
    judged, apart = in_order(scans, models)
    shared = shared_remarks(judged)
    facts = {
        "judged": judged,
        "apart": apart,
        "failed": failed,
        "not_processed": NOT_PROCESSED,
        "models": models,
        "strips": _strips(judged, models),
        "counts": Counter(scan.judged for scan in scans),
        "judged_words": WORDS,
        "shifts": shift_words(scans, models),
        "shared_remarks": shared,
        "has_own_remarks": any(set(scan.remarks) - set(shared) for scan in judged),
        "chance": chance_words(judged),
        "usual": {scan.fp_per_scan for scan in judged},
        "words": words,
        "rank_words": rank_words,
        "folder": path.parent.resolve().name,
        "version": __version__,
        "disclaimer": DISCLAIMER,
    }
    return write_text(path, render("anomaly_group.html.j2", **facts))


def in_order(
    scans: Sequence[AnomalyScan], models: Sequence[GroupModel]
) -> tuple[list[AnomalyScan], list[AnomalyScan]]:
    """Return the scans to be judged, the most unusual of each model first, and those that are not."""
    ordered = sorted(scans, key=lambda scan: (not scan.is_judged, models.index(scan.model), scan.rank))
    kept = those_that_fit([scan.thumbnail for scan in ordered])
    ordered = [replace(scan, thumbnail=kept_one) for scan, kept_one in zip(ordered, kept, strict=True)]
    return [scan for scan in ordered if scan.is_judged], [scan for scan in ordered if not scan.is_judged]


def chance_words(judged: Sequence[AnomalyScan]) -> str:
    """Say how many healthy scans so many tests call unusual by chance; nothing if no rate was asked for."""
    rates = Counter(scan.alpha for scan in judged if scan.alpha is not None)
    n = rates.total()
    if not n:
        return ""
    expected = sum(alpha * count for alpha, count in rates.items())
    sums = " + ".join(f"{count} × {alpha:g}" for alpha, count in sorted(rates.items()))
    n_unusual = sum(scan.judged == "unusual" for scan in judged)
    whole = f"if all {n} are healthy" if n > 1 else "if it is healthy"
    return (
        f"Expected false positives {whole}: at most {expected:.3g} ({sums}); here {n_unusual} "
        f"{'is' if n_unusual == 1 else 'are'} called unusual. The p-values share one calibration set, so "
        "they are correlated, more strongly where that set is small."
    )


def rank_words(scan: AnomalyScan) -> str:
    """Say a p-value as a count of healthy scans; nothing if the result does not say among how many."""
    if scan.n_healthy is None:
        return ""
    n_above = round(scan.p_value * (scan.n_healthy + 1)) - 1
    return words.above_words(n_above, scan.n_healthy)


def _strips(judged: Sequence[AnomalyScan], models: Sequence[GroupModel]) -> list[ModelStrip]:
    """One strip of p-values a model, from 0 to 1, the unusual scans marked."""
    names = [scan.name for scan in judged]
    unusual = {row for row, scan in enumerate(judged) if scan.judged == "unusual"}
    strips = []
    for model in models:
        values = [scan.p_value if scan.model == model else np.nan for scan in judged]
        drawn = strip("p of the whole scan", "", names, np.array(values), unusual, "", ends=(0.0, 1.0))
        alphas = {scan.alpha for scan in judged if scan.model == model and scan.alpha is not None}
        if drawn is not None:
            strips.append(ModelStrip(model, drawn, tuple(WIDTH * alpha for alpha in sorted(alphas))))
    return strips
