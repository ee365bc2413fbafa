"""Whether the scans of one model are together unlike those it learned from, though none may be alone.

Each p-value ranks one scan among the same n healthy ones. Were all scans healthy, the number of those with
p of m / (n + 1) or less would be beta-binomial: ranked among the same few, they stray together, so a plain
binomial would raise a false alarm more often than it says.
Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 2023, arXiv:2104.08279.
"""

from collections.abc import Sequence
from math import comb

from medunsup.report.detect.group_scan import AnomalyScan, GroupModel

LOW_P = 0.25
RARE = 0.01
FEWEST = 5


def shift_words(scans: Sequence[AnomalyScan], models: Sequence[GroupModel]) -> tuple[str, ...]:
    """One sentence for each model whose scans are, as a whole, unlike the healthy ones it knows.

    OOD scans do not count, nor those that do not say among how many they were ranked.
    """
    sentences = []
    for model in models:
        ranked = [scan for scan in scans if scan.model == model and scan.is_judged and scan.n_healthy]
        if words := _words(ranked):
            sentences.append(f"Model “{model.folder}”: {words}" if len(models) > 1 else words)
    return tuple(sentences)


def tail(n_low: int, n_scans: int, m: int, n_healthy: int) -> float:
    """Return how likely `n_low` or more of n healthy scans get a p-value of m / (n_healthy + 1) or less."""
    ways = sum(
        comb(k + m - 1, k) * comb(n_scans - k + n_healthy - m, n_scans - k) for k in range(n_low, n_scans + 1)
    )
    return ways / comb(n_scans + n_healthy, n_scans)


def _words(scans: Sequence[AnomalyScan]) -> str:
    n, n_healthy = len(scans), min((scan.n_healthy or 0 for scan in scans), default=0)
    m = int(LOW_P * (n_healthy + 1))  # so many ranks are a p-value of .25 or less
    n_low = sum(scan.p_value <= LOW_P for scan in scans)
    if n < FEWEST or m == 0 or tail(n_low, n, m, n_healthy) >= RARE:
        return ""
    expected = round(n * m / (n_healthy + 1))
    usual = (
        f"about {expected} healthy one{'s' if expected != 1 else ''}"
        if expected
        else "hardly any healthy one"
    )
    return (
        f"{n_low} of {n} scans have p of .25 or less, where {usual} would: as a whole they are unlike the "
        "scans the model learned from, as from another scanner or group of people."
    )
