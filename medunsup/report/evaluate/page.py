"""The page of an evaluation: verdict, figures with intervals, three numbers, then everything behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medunsup.anomaly.evaluation import EvaluatedCase, Evaluation, SyntheticFigures
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_text
from medunsup.metrics.comparison import MODEL
from medunsup.report.base import charts
from medunsup.report.base.headline import Headline
from medunsup.report.base.heatmap import CEILING, FLOOR, heat_gradient
from medunsup.report.base.images import PICTURE_BYTES
from medunsup.report.base.render import render
from medunsup.report.base.text import DISCLAIMER
from medunsup.report.evaluate import words
from medunsup.report.evaluate.case_picture import LINES, case_picture, where
from medunsup.report.evaluate.case_slices import read_slices
from medunsup.report.evaluate.charts import Forest, Row, forest, froc_chart

ONE_FALSE_ALARM = 1.0


@dataclass(frozen=True)
class Pictured:
    """A case that the page shows: its picture as a data address, and in words where the slices lie."""

    case: EvaluatedCase
    picture: str
    slices: str


def write_evaluation(result: Evaluation, path: str | Path, slices: Sequence[Path] = ()) -> Path:
    """Write the page to `path` and return it. It loads nothing from outside and needs no JavaScript.

    `slices` are the files of the cases' slices, in the order of the cases; none: the page has no pictures.

    Raises OutputError if it cannot be written.
    """
    pictured = _pictured(list(zip(result.cases, slices, strict=True))) if slices else []
    return write_text(Path(path), render("evaluation.html.j2", **_facts(result, pictured)))


def _facts(result: Evaluation, pictured: Sequence[Pictured]) -> dict[str, Any]:
    """Everything the template needs, by name."""
    figures, model = result.figures, str(result.about["model"])
    baseline = words.best_baseline(figures)
    curves = [(words.method_name(MODEL, model), figures.model.froc)]
    curves += [(words.method_name(baseline.name, model), baseline.froc)] if baseline else []
    return {
        "model": model,
        "about": result.about,
        "verdict": words.verdict(result),
        "headline": _headline(result),
        "forest": _forest(result),
        "figures": figures,
        "rows": [figures.model, *sorted(figures.methods[1:], key=lambda one: one not in figures.baselines)],
        "froc": froc_chart([(name, curve) for name, curve in curves if curve is not None]),
        "cases": result.cases,
        "pictured": pictured,
        "colours": {"gradient": heat_gradient(), "ticks": range(round(FLOOR), round(CEILING) + 1)},
        "lines": {label.name: label.hex for label in LINES},
        "n_healthy": sum(not case.is_ill for case in result.cases),
        "synthetic": result.synthetic,
        "blind_spots": None if result.synthetic is None else _blind_spots(result.synthetic),
        "threshold": result.threshold,
        "fp_per_scan": result.fp_per_scan,
        "notes": _case_warnings(result),
        "limits": words.LIMITS,
        "words": words,
        "MODEL": MODEL,
        "version": __version__,
        "disclaimer": DISCLAIMER,
    }


def _headline(result: Evaluation) -> list[Headline]:
    """Three numbers: average precision, what it gains over the best baseline, lesions found."""
    figures, model = result.figures, str(result.about["model"])
    if not figures.model.makes_map:
        return _headline_without_lesions(result)
    own, baseline = figures.model, words.best_baseline(figures)
    precision = own.figures.get("average_precision")
    chance = (
        f"mean of {precision.n if precision else 0} subjects; chance {words.figure(figures.prevalence.value)}"
    )
    against = baseline.model_against if baseline else None
    found = own.froc.sensitivity_at(ONE_FALSE_ALARM) if own.froc else float("nan")
    n_lesions = own.froc.n_lesions if own.froc else 0
    return [
        Headline("Average precision", words.figure(precision.value if precision else None), "", chance),
        Headline(
            "Gain over the best baseline",
            words.figure(against.difference.value, signed=True) if against else "–",
            "",
            f"{words.method_name(baseline.name, model)}: {against.verdict}, {words.difference(against)}"
            if baseline and against
            else "no baseline",
        ),
        Headline(
            "Lesions found",
            f"{100 * found:.0f}" if n_lesions else "–",
            "%" if n_lesions else "",
            f"of {n_lesions}, a tenth of each marked, at one false positive per scan",
        ),
    ]


def _headline_without_lesions(result: Evaluation) -> list[Headline]:
    """Three numbers where there is nothing to find: how many scans, how much is marked, how unusual."""
    false = [case.at_threshold["false_positives"] for case in result.cases if case.at_threshold]
    p_values = [case.p_value for case in result.cases]
    mean = f"{sum(false) / len(false):.1f}" if false else "–"
    return [
        Headline("Healthy scans", str(len(false)), "", f"of {len(result.cases)} in the table"),
        Headline(
            "False positives per scan (FP/scan)", mean, "", f"promised: {result.fp_per_scan:g} on average"
        ),
        Headline("Smallest p of a scan", words.p_figure(min(p_values)), "", f"among {len(p_values)} scans"),
    ]


def _forest(result: Evaluation) -> Forest | None:
    """Average precision of the model and of every baseline with a map, the model first."""
    figures = result.figures
    methods = [one for one in (figures.model, *figures.baselines) if one.makes_map]
    rows = []
    for one in methods:
        estimate = one.figures["average_precision"]
        own = [case.figure(one.name, "average_precision") for case in result.cases if case.has_lesions]
        name = words.method_name(one.name, str(result.about["model"]))
        rows.append(Row(name, estimate, own, words.interval(estimate), one.name == MODEL))
    return forest(rows, figures.prevalence.value)


def _blind_spots(synthetic: SyntheticFigures) -> charts.Chart | None:
    return charts.line(synthetic.average_precision, "average precision", synthetic.levels)


def _pictured(cases: Sequence[tuple[EvaluatedCase, Path]]) -> list[Pictured]:
    """Draw as many cases as fit: the least well found first, then healthy ones by false positives."""

    def rank(each: tuple[EvaluatedCase, Path]) -> tuple[bool, float]:
        case = each[0]
        told = case.figure(MODEL, "average_precision")
        return not case.has_lesions, told if case.has_lesions else -case.at_threshold.get(
            "false_positives", 0
        )

    shown: list[Pictured] = []
    room = PICTURE_BYTES
    for case, path in sorted(cases, key=rank):
        if not (slices := read_slices(path)):
            continue
        picture = case_picture(slices)
        room -= len(picture)
        if room < 0:
            break
        shown.append(Pictured(case, picture, where(slices)))
    return shown


def _case_warnings(result: Evaluation) -> list[str]:
    return [f"{case.scan} ({case.subject}): {text}" for case in result.cases for text in case.warnings]
