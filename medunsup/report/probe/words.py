"""What a probe says, in words: the verdict, what features are called, what the figures cannot show."""

from collections.abc import Sequence

import numpy as np

from medunsup.cohort.encoders.probed import Features, ProbeResult, ProbeVerdict
from medunsup.metrics.bootstrap import Estimate
from medunsup.report.base.numbers import minus
from medunsup.report.base.text import Shown, VerdictWords

NAMES: dict[Features, str] = {
    "encoder": "pretrained encoder",
    "random": "the same network, random weights",
    "pca": "principal components",
}
MOST_NEEDED = 100_000
LIMITS = (
    "Verdicts are of the linear probe; that of the neighbours stands below.",
    "A probe leaves the encoder as it is. What a network gains that is trained on, for labels or for "
    "segmentation, may be more or less.",
    "Intervals are over test subjects like these, scanned like these, for the draws of labels made here; the "
    "spread over draws stands beside them.",
    "The better baseline is chosen on the test split, which favours the baseline.",
    "The random network is one draw of weights, that of the seed the encoder started from.",
    "Choosing among encoders by this page and reporting the same page flatters the one chosen.",
)


def verdict(result: ProbeResult) -> tuple[Shown, VerdictWords]:
    """Put the verdicts at all shares of the labels into one."""
    said = {one.said for one in result.verdicts}
    if "better" in said and "worse" in said:
        return "check", VerdictWords("Better here, worse there", "!", _each(result.verdicts))
    if "better" in said:
        return "pass", VerdictWords(f"Better {_at(result, 'better')}", "✓", _each(result.verdicts))
    if "worse" in said:
        return "fail", VerdictWords(f"Worse {_at(result, 'worse')}", "✕", _each(result.verdicts))
    return "partial", VerdictWords("No difference seen", "–", _each(result.verdicts))


def sentence(one: ProbeVerdict) -> str:
    """Say what the interval allows at one share of the labels."""
    labels = f"With {share(one.fraction)} of the labels ({one.n_labels})"
    against = f"AUC {difference(one.difference)} against {NAMES[one.baseline]}"
    if one.said != "no difference seen":
        return f"{labels}: {one.said}, {against}."
    return f"{labels}: no difference seen ({needed(one)}), {against}."


def contrary(result: ProbeResult) -> list[str]:
    """Say where the vote of neighbours, mean over draws, points the other way than the verdict."""
    found = []
    for one in result.verdicts:
        own, baseline = (
            next(each for each in result.figures_of(name, "knn") if each.fraction == one.fraction)
            for name in ("encoder", one.baseline)
        )
        is_lower, is_higher = own.mean_auc < baseline.mean_auc, own.mean_auc > baseline.mean_auc
        if (one.said == "better" and is_lower) or (one.said == "worse" and is_higher):
            found.append(
                f"By nearest neighbours it is the other way round with {share(one.fraction)} of the "
                "labels: AUC "
                f"{own.mean_auc:.3f}, {NAMES[one.baseline]} {baseline.mean_auc:.3f}."
            )
    return found


def needed(one: ProbeVerdict) -> str:
    """Say how many test subjects would show a difference of this size."""
    if not np.isfinite(one.needed) or one.needed > MOST_NEEDED:
        return f"would need more than {MOST_NEEDED} test subjects"
    digits = max(0, len(str(int(one.needed))) - 2)
    return f"would need about {max(round(one.needed, -digits), one.difference.n + 1):.0f} test subjects"


def share(fraction: float) -> str:
    """Write a share of the labels: "1 %"."""
    return f"{100 * fraction:g} %"


def difference(found: Estimate) -> str:
    """Write a difference with sign and interval."""
    value, low, high = (minus(f"{each:+z.3f}") for each in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]" if np.isfinite(found.low) else value


def spread(values: Sequence[float]) -> str:
    """Write a mean with its standard deviation over draws; of one draw the value alone."""
    mean = f"{np.mean(values):.3f}"
    return f"{mean} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else mean


def _each(verdicts: Sequence[ProbeVerdict]) -> str:
    return " ".join(sentence(one) for one in verdicts)


def _at(result: ProbeResult, said: str) -> str:
    shares = [share(one.fraction) for one in result.verdicts if one.said == said]
    if len(shares) == len(result.verdicts):
        return "than both baselines" if said == "better" else "than a baseline"
    return f"with {' and '.join(shares)} of the labels"
