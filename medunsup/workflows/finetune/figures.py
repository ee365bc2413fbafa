"""What a fine-tuning came to on its test scans: Dice of each class, means over subjects, what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from medunsup.core.labels import Label
from medunsup.metrics.bootstrap import Estimate, compare, mean_interval
from medunsup.metrics.power import subjects_needed
from medunsup.workflows.finetune.compared import (
    NOT_COMPARED,
    WITH_SCRATCH,
    Against,
    Comparison,
    ShareFigures,
    against,
    plain_against,
    plain_estimate,
    plain_value,
)

GRID, NATIVE = "grid", "native"
SPACES = (GRID, NATIVE)
FOUND = 0.05  # mean Dice from which on a network is said to find a label
ONE_LABEL = 2 / 3  # Dice of the same label everywhere, where half of the voxels have it

DiceOf = Mapping[str, Mapping[str, Sequence[float]]]  # by network, by space: one figure a class


@dataclass(frozen=True)
class CaseDice:
    """Dice of one test scan by network and space, one figure a class; NaN where neither map has the class."""

    scan: str
    subject: str
    dice: DiceOf

    def mean(self, arm: str, space: str) -> float:
        """Mean over the classes that there are; NaN if there is none."""
        known = [value for value in self.dice[arm][space] if np.isfinite(value)]
        return float(np.mean(known)) if known else float("nan")


def plain_case(case: CaseDice) -> dict[str, Any]:
    """Return plain values as they were measured; NaN becomes null."""
    dice = {
        arm: {space: [value if np.isfinite(value) else None for value in row] for space, row in of.items()}
        for arm, of in case.dice.items()
    }
    return {"scan": case.scan, "subject": case.subject, "dice": dice}


def case_of(plain: Mapping[str, Any]) -> CaseDice:
    """Undo `plain_case`."""
    dice = {
        arm: {space: [np.nan if value is None else value for value in row] for space, row in of.items()}
        for arm, of in plain["dice"].items()
    }
    return CaseDice(plain["scan"], plain["subject"], dice)


@dataclass(frozen=True)
class Figures:
    """All figures of the test scans.

    `means` are mean Dice over classes, then over subjects, by network and space; `per_class` are Dice in
    native space by network, one estimate a label; `against` compares networks with the
    reference of `compared`, in native space.
    """

    labels: tuple[Label, ...]
    cases: tuple[CaseDice, ...]
    means: Mapping[str, Mapping[str, Estimate]]
    per_class: Mapping[str, tuple[Estimate, ...]]
    against: Mapping[str, Against] = field(default_factory=dict)
    compared: Comparison = WITH_SCRATCH

    @property
    def arms(self) -> list[str]:
        """Networks that were trained."""
        return list(self.means)

    @property
    def verdict(self) -> str:
        """What the interval says of the main network against the reference."""
        main = self.compared.main
        return self.against[main].words if main in self.against else NOT_COMPARED

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes null."""
        return {
            "Verdict": self.verdict,
            "Labels": [{"index": one.index, "name": one.name} for one in self.labels],
            "MeanDice": {
                arm: {key: plain_estimate(one) for key, one in of.items()} for arm, of in self.means.items()
            },
            "DicePerLabel": {arm: [plain_estimate(one) for one in of] for arm, of in self.per_class.items()},
            self.compared.key_of_all: plain_against(self.against),
            "Cases": [plain_value(asdict(case)) for case in self.cases],
        }


def gather(
    cases: Sequence[CaseDice],
    labels: Sequence[Label],
    *,
    seed: int = 0,
    compared: Comparison = WITH_SCRATCH,
) -> Figures:
    """Lay the figures of all test scans together; scans of one subject are averaged first."""
    subjects = [case.subject for case in cases]
    arms = [*cases[0].dice]
    means = {
        arm: {
            space: mean_interval([case.mean(arm, space) for case in cases], subjects=subjects, seed=seed)
            for space in SPACES
        }
        for arm in arms
    }
    per_class = {
        arm: tuple(
            mean_interval([case.dice[arm][NATIVE][n] for case in cases], subjects=subjects, seed=seed)
            for n in range(len(labels))
        )
        for arm in arms
    }
    found = _all_against(cases, subjects, seed, compared)
    return Figures(tuple(labels), tuple(cases), means, per_class, found, compared)


def unlearned(figures: Figures) -> list[str]:
    """Say which labels no network finds in any test scan, which more steps may change."""
    lost = [
        label.name
        for n, label in enumerate(figures.labels)
        if all(of[n].value == 0 for of in figures.per_class.values())
    ]
    if not lost:
        return []
    return [f"No network finds {', '.join(lost)} in any test scan: train for more steps."]


def learned_nothing(cases: Sequence[CaseDice], arm: str) -> bool:
    """Say whether a network finds no label, or gives all voxels one label: Dice in native space.

    That one label has a Dice of no more than 2/3, unless most voxels have it.
    """
    means = _known_means([case.dice[arm][NATIVE] for case in cases])
    found = [value for value in means if value >= FOUND]
    return not found or (len(means) > 1 and len(found) == 1 and found[0] <= ONE_LABEL)


def averaged(draws: Sequence[Sequence[CaseDice]]) -> list[CaseDice]:
    """Average the figures of the same test scans over draws of the labels; NaN where no draw knows any."""
    return [
        CaseDice(
            cases[0].scan,
            cases[0].subject,
            {
                arm: {space: _known_means([case.dice[arm][space] for case in cases]) for space in of}
                for arm, of in cases[0].dice.items()
            },
        )
        for cases in zip(*draws, strict=True)
    ]


def share_figures(
    share: float,
    n_subjects: int,
    draws: Sequence[Sequence[CaseDice]],
    *,
    seed: int = 0,
    compared: Comparison = WITH_SCRATCH,
) -> ShareFigures:
    """Lay the mean Dice of a share of the labels together, a list of test scans for each draw."""
    cases = averaged(draws)
    subjects = [case.subject for case in cases]
    arms = [*cases[0].dice]
    means = {
        arm: mean_interval([case.mean(arm, NATIVE) for case in cases], subjects=subjects, seed=seed)
        for arm in arms
    }
    per_draw = {
        arm: [mean_over(subjects, [case.mean(arm, NATIVE) for case in of]) for of in draws] for arm in arms
    }
    found = _all_against(cases, subjects, seed, compared)
    return ShareFigures(share, n_subjects, per_draw, means, found, compared)


def mean_over(subjects: Sequence[str], values: Sequence[float]) -> float:
    """Average over the scans of each subject, then over subjects; NaN values are left out."""
    of = {who: [value for one, value in zip(subjects, values, strict=True) if one == who] for who in subjects}
    return _known_means([[_known_means([[one] for one in own])[0]] for own in of.values()])[0]


def _all_against(
    cases: Sequence[CaseDice], subjects: Sequence[str], seed: int, compared: Comparison
) -> dict[str, Against]:
    arms, reference = [*cases[0].dice], compared.reference
    others = [arm for arm in arms if arm != reference] if reference in arms else []
    nothing = bool(others) and learned_nothing(cases, reference)
    return {arm: _against(arm, cases, subjects, seed, compared, nothing) for arm in others}


def _against(
    arm: str,
    cases: Sequence[CaseDice],
    subjects: Sequence[str],
    seed: int,
    compared: Comparison,
    is_unlearned: bool,
) -> Against:
    both = (arm, compared.reference)
    own, other = (np.array([case.mean(one, NATIVE) for case in cases]) for one in both)
    found = compare(own, other, subjects=subjects, seed=seed)
    each = {subject: np.array(subjects) == subject for subject in dict.fromkeys(subjects)}
    needed = subjects_needed([float(np.nanmean((own - other)[is_own])) for is_own in each.values()])
    return against(found.difference, found.verdict, needed, compared, is_unlearned=is_unlearned)


def _known_means(rows: Sequence[Sequence[float]]) -> list[float]:
    """Average rows column by column, leaving NaN out; NaN where a column knows nothing."""
    table = np.array(rows, dtype=np.float64)
    known = np.isfinite(table)
    counts = known.sum(axis=0)
    totals = np.where(known, table, 0.0).sum(axis=0)
    return [float(value) for value in np.where(counts > 0, totals / np.maximum(counts, 1), np.nan)]
