"""The tables of an evaluation."""

import math
from collections.abc import Iterator, Mapping, Sequence

from medunsup.anomaly.evaluation import Evaluation
from medunsup.io.files.tsv import tsv
from medunsup.metrics.bootstrap import Comparison, Estimate
from medunsup.metrics.comparison import AT_THRESHOLD, FIGURES

CASE_FIGURES = ("prevalence", *FIGURES, "oracle_threshold")
OF_MASK = (*AT_THRESHOLD, "lesions", "lesions_found", "false_positives")
ONE_FALSE_ALARM = 1.0
TABLES = ("cases.tsv", "comparison.tsv", "steps.tsv", "froc.tsv")


def tables(result: Evaluation) -> dict[str, str]:
    """All tables by file name: one row a case and method, a method, a step, a threshold."""
    rows = (_cases(result), _comparison(result), _steps(result), _froc(result))
    return {name: tsv(one) for name, one in zip(TABLES, rows, strict=True)}


def _cases(result: Evaluation) -> Iterator[Sequence[str]]:
    """Figures of each case; those at the healthy threshold and the p-value are the model's alone.

    What makes a scan unlike the healthy ones and what else was remarked stands in each of its rows.
    """
    yield (
        "scan",
        "subject",
        "site",
        "is_ill",
        "method",
        *CASE_FIGURES,
        *OF_MASK,
        "scan_score",
        "p_value",
        "lesions_outside_brain",
        "unlike_healthy",
        "warnings",
    )
    for case in result.cases:
        for method, scan_score in case.scan_scores.items():
            is_model = method == result.figures.model.name
            at = case.at_threshold if is_model else {}
            yield (
                case.scan,
                case.subject,
                case.site or "n/a",
                str(case.is_ill).lower(),
                method,
                *(cell(case.figure(method, name)) for name in CASE_FIGURES),
                *(cell(at.get(name)) for name in OF_MASK),
                cell(scan_score),
                cell(case.p_value if is_model else None),
                cell(case.lesions_outside_brain),
                ",".join(case.flags) or "n/a",
                " ".join(case.warnings) or "n/a",
            )


def _comparison(result: Evaluation) -> Iterator[Sequence[str]]:
    means = (*FIGURES[1:], *AT_THRESHOLD)
    yield (
        "method",
        "subjects",
        "prevalence",
        *with_ends("average_precision"),
        *means,
        "lesions_found_at_1_false_alarm_a_scan",
        *with_ends("scan_auroc"),
        *with_ends("model_minus_method"),
        "model_is",
    )
    for one in result.figures.methods:
        precision = one.figures.get("average_precision")
        yield (
            one.name,
            str(precision.n) if precision else "n/a",
            cell(result.figures.prevalence.value),
            *ends(precision),
            *(_mean(one.figures, name) for name in means),
            cell(one.froc.sensitivity_at(ONE_FALSE_ALARM) if one.froc else None),
            *ends(one.scan_auroc),
            *_difference(one.model_against),
        )


def _steps(result: Evaluation) -> Iterator[Sequence[str]]:
    yield "step", *with_ends("average_precision"), *with_ends("change"), "verdict"
    for step in result.figures.steps:
        yield step.name, *ends(step.average_precision), *_difference(step.effect)


def _froc(result: Evaluation) -> Iterator[Sequence[str]]:
    yield "method", "threshold", "false_alarms_a_scan", "share_of_lesions_found"
    for one in result.figures.methods:
        if one.froc is not None:
            columns = (one.froc.thresholds, one.froc.false_positives, one.froc.sensitivity)
            for row in zip(*columns, strict=True):
                yield one.name, *(cell(float(value)) for value in row)


def cell(value: float | None) -> str:
    """Write a number with six digits; what is not known as n/a."""
    return "n/a" if value is None or not math.isfinite(value) else f"{value:.6g}"


def with_ends(name: str) -> tuple[str, str, str]:
    """Name the columns of a figure and its interval."""
    return name, f"{name}_low", f"{name}_high"


def ends(estimate: Estimate | None) -> tuple[str, str, str]:
    """Write a figure and its interval."""
    if estimate is None:
        return "n/a", "n/a", "n/a"
    return cell(estimate.value), cell(estimate.low), cell(estimate.high)


def _difference(comparison: Comparison | None) -> tuple[str, ...]:
    if comparison is None:
        return "n/a", "n/a", "n/a", "n/a"
    return *ends(comparison.difference), comparison.verdict


def _mean(figures: Mapping[str, Estimate], name: str) -> str:
    return cell(figures[name].value if name in figures else None)
