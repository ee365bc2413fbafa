"""Would the scanner alone tell patients from healthy people? A look at where and how both were scanned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import stats

Row = Mapping[str, Any]
Strength = Literal["complete", "partial", "none", "unknown"]

MISSING = frozenset({"", "n/a", "na", "nan", "none", "unknown"})
PARTIAL_DISTANCE = 0.5
PARTIAL_P = 0.01
N_PERMUTATIONS = 999


@dataclass(frozen=True)
class Confounder:
    """How far one fact sets healthy scans and patients apart.

    Attributes
    ----------
    fact : str
        The fact: site, contrast, spacing, ...
    strength : {'complete', 'partial', 'none', 'unknown'}
        'complete' if no value occurs in both groups: detection and scanner cannot be told apart.
    distance : float
        0 if both groups have the same values, 1 if they share none: total variation distance for names and
        recurring numbers, Kolmogorov-Smirnov distance for others.
    sentence : str
        The same in words.
    """

    fact: str
    strength: Strength
    distance: float
    sentence: str


def confounding(healthy: Sequence[Row], patients: Sequence[Row], *, seed: int = 0) -> list[Confounder]:
    """Judge every fact known of both groups (site, scanner, field strength, spacing, ...), the worst first.

    One mapping a scan. "complete": no value occurs in both groups, so that detection and scanner cannot be
    told apart; "partial": a distance of at least 0.5 that chance makes in less than 1 % of relabelled
    groups; "unknown": a group has no value, or there are too few scans to tell such a distance from chance.
    Facts that differ from scan to scan, such as names, are left out.
    """
    facts = dict.fromkeys(key for row in (*healthy, *patients) for key in row)
    found = [
        _judge(fact, _known(healthy, fact), _known(patients, fact), np.random.default_rng(seed))
        for fact in facts
    ]
    order = ("complete", "partial", "unknown", "none")
    judged = [one for one in found if one is not None]
    return sorted(judged, key=lambda one: (order.index(one.strength), -one.distance))


def _judge(
    fact: str, healthy: list[Any], patients: list[Any], generator: np.random.Generator
) -> Confounder | None:
    if not healthy or not patients:
        group = "healthy scan" if not healthy else "patient"
        return Confounder(
            fact, "unknown", float("nan"), f"{fact} is known of no {group}: it was not compared."
        )
    values, is_number = _as_array([*healthy, *patients])
    if not is_number and np.unique(values).size == values.size > 2:
        return None
    is_patient = np.arange(values.size) >= len(healthy)
    distance = _distance(values, is_patient, is_number)
    if distance == 1:
        sentence = (
            f"{fact} is another in every patient than in any healthy scan: what is found may be the scanner."
        )
        return Confounder(fact, "complete", distance, sentence)
    if distance >= PARTIAL_DISTANCE and _p_value(values, is_patient, is_number, generator) < PARTIAL_P:
        sentence = f"{fact} differs between healthy scans and patients (distance {distance:.2f} of 1)."
        return Confounder(fact, "partial", distance, sentence)
    if distance >= PARTIAL_DISTANCE:
        sentence = f"{fact} differs (distance {distance:.2f} of 1), but so few scans may differ by chance."
        return Confounder(fact, "unknown", distance, sentence)
    return Confounder(fact, "none", distance, f"{fact} is alike in healthy scans and patients.")


def _distance(values: np.ndarray, is_patient: np.ndarray, is_number: bool) -> float:
    healthy, patients = values[~is_patient], values[is_patient]
    if is_number:
        return float(stats.ks_2samp(healthy, patients, method="asymp").statistic)
    names, code = np.unique(values, return_inverse=True)
    shares = [
        np.bincount(code[group], minlength=names.size) / group.sum() for group in (~is_patient, is_patient)
    ]
    return 1.0 - float(np.minimum(*shares).sum())


def _p_value(
    values: np.ndarray, is_patient: np.ndarray, is_number: bool, generator: np.random.Generator
) -> float:
    seen = _distance(values, is_patient, is_number)
    drawn = [_distance(values, generator.permutation(is_patient), is_number) for _ in range(N_PERMUTATIONS)]
    return (1 + int(np.sum(np.asarray(drawn) >= seen - 1e-9))) / (N_PERMUTATIONS + 1)


def _known(rows: Sequence[Row], fact: str) -> list[Any]:
    return [row[fact] for row in rows if fact in row and str(row[fact]).strip().lower() not in MISSING]


def _as_array(values: list[Any]) -> tuple[np.ndarray, bool]:
    """Numbers that mostly differ are compared by order; names, and numbers that recur, by value."""
    try:
        numbers = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        return np.array([str(value) for value in values]), False
    return numbers, bool(2 * np.unique(numbers).size > numbers.size)
