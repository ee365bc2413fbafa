"""What an evaluation says, in words: the verdict, what methods are called, what the figures cannot show."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.anomaly.evaluation import Evaluation
from medunsup.metrics.bootstrap import Comparison, Estimate, least_subjects
from medunsup.metrics.case_figures import LEAST_OUTSIDE
from medunsup.metrics.comparison import MODEL, Figures, MethodFigures
from medunsup.report.base.numbers import minus, p_text
from medunsup.report.base.text import Shown, VerdictWords

LIMITS = (
    "Average precision depends on how much of the brain is lesion: compare it between methods on the same "
    "scans, never between data sets.",
    "The oracle Dice takes the threshold that fits the true lesions best. Nobody who looks for lesions has "
    "it; it is an upper bound, not what the model reaches.",
    "AUROC of voxels flatters: most voxels are healthy and easy. It is listed to compare with other work.",
    "Lesions are those an expert drew. What a method marks and nobody drew counts as false, even if it is "
    "abnormal.",
    "Intervals hold for subjects like these, scanned like these. Choosing a model by this table and "
    "reporting the same table flatters the model.",
)


SHORT = {
    "prevalence": "chance",
    "intensity_high": "bright intensity",
    "intensity_low": "dark intensity",
    "rank_high": "bright, ranked",
    "rank_low": "dark, ranked",
    "template_grid_high": "bright, on the template grid",
    "template_grid_low": "dark, on the template grid",
    "healthy_z": "voxel-wise z-score",
    "healthy_z_blurred": "z-score, blurred",
    "asymmetry": "left-right difference",
    "pca_residual": "PCA residual",
    "pca_lof": "PCA, LOF",
    "pca_ecod": "PCA, ECOD",
}


@dataclass(frozen=True)
class Verdict:
    """How the first screen is coloured, titled and explained."""

    shown: Shown
    words: VerdictWords
    reasons: tuple[str, ...]


def method_name(name: str, model: str) -> str:
    """Return what a reader calls a method: the model's own name, or the baseline in words."""
    return f"{model} (the model)" if name == MODEL else SHORT.get(name, name)


def method_words(name: str) -> str:
    """Say what a baseline is, with its name in the tables."""
    from medunsup.anomaly.baselines import BASELINES

    return f"{name}: {BASELINES[name].words}" if name in BASELINES else ""


def verdict(result: Evaluation) -> Verdict:
    """Judge the model against every baseline that makes a map."""
    baselines = result.figures.baselines
    confounders = (
        one.sentence[:1].upper() + one.sentence[1:]
        for one in result.figures.confounders
        if one.strength in ("complete", "partial")
    )
    reasons = (*_outside(result), *confounders)
    if not result.figures.model.makes_map:
        words = VerdictWords(
            "No lesions to find", "–", "No case has true lesions: maps could not be measured."
        )
        return Verdict("partial", words, reasons)
    if not baselines:
        words = VerdictWords("Nothing to compare with", "–", "No baseline was measured beside the model.")
        return Verdict("partial", words, reasons)
    shown, words = _judged(baselines)
    return Verdict(shown, words, (*(_sentence(one) for one in baselines[:1]), *_unlike(result), *reasons))


def _unlike(result: Evaluation) -> tuple[str, ...]:
    """Say how many scans with lesions the model cannot judge, and its figure without them."""
    ill = [case for case in result.cases if case.has_lesions]
    flagged = sum(bool(case.flags) for case in ill)
    if not flagged:
        return ()
    told = f"{flagged} of {len(ill)} scans with lesions are unlike the healthy ones that the model knows"
    if result.figures.of_known is None:
        return (f"{told}: these figures say little of the model.",)
    return (f"{told}; without them its average precision is {interval(result.figures.of_known)}.",)


def _outside(result: Evaluation) -> tuple[str, ...]:
    """Say where lesions lie outside the brain mask."""
    shares = [case.lesions_outside_brain for case in result.cases if case.has_lesions]
    outside = [share for share in shares if share >= LEAST_OUTSIDE]
    if not outside:
        return ()
    told = f"{len(outside)} of {len(shares)} scans with lesions have some outside the brain mask"
    return (f"{told} (up to {max(outside):.0%} of them): these count as missed.",)


def _judged(baselines: Sequence[MethodFigures]) -> tuple[Shown, VerdictWords]:
    """Put the verdicts against all baselines into one; the worst counts."""
    verdicts = {one.name: against.verdict for one in baselines if (against := one.model_against)}
    worse = [name for name, found in verdicts.items() if found == "worse"]
    if "underpowered" in verdicts.values():
        least = least_subjects()
        words = VerdictWords(
            "Too few subjects to say",
            "–",
            f"Fewer than {least} subjects have lesions: no difference could be told from chance.",
        )
        return "partial", words
    if worse:
        named = ", ".join(method_name(name, "") for name in worse)
        return "fail", VerdictWords("Worse than a baseline", "✕", f"Better than the model: {named}.")
    if set(verdicts.values()) == {"better"}:
        words = VerdictWords(
            "Better than every baseline",
            "✓",
            "The interval of the difference in average precision excludes zero for each baseline measured.",
        )
        return "pass", words
    words = VerdictWords(
        "Not shown to be better",
        "!",
        "Against one baseline at least, the interval of the difference in average precision holds zero.",
    )
    return "check", words


def _sentence(baseline: MethodFigures) -> str:
    """Compare with one baseline in words."""
    against = baseline.model_against
    if against is None:
        return ""
    name = f"{method_name(baseline.name, '')} ({method_words(baseline.name)})"
    found = against.difference
    if found.value == found.low == found.high == 0:
        return f"The best baseline, {name}, does the same as this model."
    return f"Against the best baseline, {name}: average precision {difference(against)}, {against.verdict}."


def difference(against: Comparison) -> str:
    """Write a difference with its interval and sign."""
    return interval(against.difference, signed=True)


def interval(estimate: Estimate | None, *, signed: bool = False) -> str:
    """Write a figure as .123 [.045, .201]; the interval is left out where it is not known."""
    if estimate is None or not np.isfinite(estimate.value):
        return "–"
    text = figure(estimate.value, signed=signed)
    if not np.isfinite(estimate.low):
        return text
    low, high = (figure(end, signed=signed) for end in (estimate.low, estimate.high))
    return f"{text} [{low}, {high}]"


def figure(value: float | None, *, signed: bool = False) -> str:
    """Write a figure between -1 and 1 with three digits behind the point."""
    if value is None or not np.isfinite(value):
        return "–"
    return minus(f"{value:+z.3f}") if signed else f"{value:.3f}"


def p_figure(value: float | None) -> str:
    """Write a p-value, or a dash where there is none."""
    return "–" if value is None or not np.isfinite(value) else p_text(value)


def best_baseline(figures: Figures) -> MethodFigures | None:
    """Return the baseline with the best average precision."""
    return figures.baselines[0] if figures.baselines else None
