"""What a fine-tuning came to on its test scans: Dice of each class, means over subjects, what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from medunsup.core.hints import both
from medunsup.core.labels import Label
from medunsup.metrics.bootstrap import Estimate, compare, least_subjects, mean_interval
from medunsup.metrics.power import subjects_needed

FINETUNED, FROZEN, SCRATCH = "finetuned", "frozen", "scratch"
GRID, NATIVE = "grid", "native"
SPACES = (GRID, NATIVE)
ARM_WORDS = {
    FINETUNED: "fine-tuned, all layers",
    FROZEN: "encoder frozen",
    SCRATCH: "from scratch",
}

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


@dataclass(frozen=True)
class Against:
    """A network less the one trained from scratch, paired by subject; `needed` subjects would show it."""

    difference: Estimate
    words: str
    needed: int | None


@dataclass(frozen=True)
class Figures:
    """All figures of the test scans.

    `means` are mean Dice over classes, then over subjects, by network and space; `per_class` are Dice in
    native space by network, one estimate a label; `against` compares networks with scratch, in native space.
    """

    labels: tuple[Label, ...]
    cases: tuple[CaseDice, ...]
    means: Mapping[str, Mapping[str, Estimate]]
    per_class: Mapping[str, tuple[Estimate, ...]]
    against: Mapping[str, Against] = field(default_factory=dict)

    @property
    def arms(self) -> list[str]:
        """Networks that were trained."""
        return list(self.means)

    @property
    def verdict(self) -> str:
        """What the interval says of fine-tuning against training from scratch."""
        return self.against[FINETUNED].words if FINETUNED in self.against else "not compared with scratch"

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes null."""
        return {
            "Verdict": self.verdict,
            "Labels": [{"index": one.index, "name": one.name} for one in self.labels],
            "MeanDice": {
                arm: {key: _plain(one) for key, one in of.items()} for arm, of in self.means.items()
            },
            "DicePerLabel": {arm: [_plain(one) for one in of] for arm, of in self.per_class.items()},
            "AgainstScratch": {
                arm: {"difference": _plain(one.difference), "words": one.words, "subjects_needed": one.needed}
                for arm, one in self.against.items()
            },
            "Cases": [_finite(asdict(case)) for case in self.cases],
        }


def gather(cases: Sequence[CaseDice], labels: Sequence[Label], *, seed: int = 0) -> Figures:
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
    others = [arm for arm in arms if arm != SCRATCH] if SCRATCH in arms else []
    against = {arm: _against(arm, cases, subjects, seed) for arm in others}
    return Figures(tuple(labels), tuple(cases), means, per_class, against)


def unlearned(figures: Figures) -> list[str]:
    """Say which labels no network finds in any test scan, which more steps may change."""
    lost = [
        label.name
        for n, label in enumerate(figures.labels)
        if all(of[n].value == 0 for of in figures.per_class.values())
    ]
    if not lost:
        return []
    return [
        f"No network finds {', '.join(lost)} in any test scan: train longer ({both('parameters')} steps)."
    ]


def _against(arm: str, cases: Sequence[CaseDice], subjects: Sequence[str], seed: int) -> Against:
    own, scratch = (np.array([case.mean(one, NATIVE) for case in cases]) for one in (arm, SCRATCH))
    found = compare(own, scratch, subjects=subjects, seed=seed)
    each = {subject: np.array(subjects) == subject for subject in dict.fromkeys(subjects)}
    needed = subjects_needed([float(np.nanmean((own - scratch)[is_own])) for is_own in each.values()])
    about = "" if needed is None else f" (would need about {max(needed, least_subjects())} subjects)"
    words = {
        "better": "better",
        "worse": "worse than scratch",
        "no difference shown": f"no difference seen{about}",
        "underpowered": f"too few test subjects to tell: {found.difference.n} of at least {least_subjects()}",
    }
    return Against(found.difference, words[found.verdict], needed)


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {key: _finite(value) for key, value in asdict(estimate).items() if key != "confidence"}


def _finite(value: Any) -> Any:
    """Replace NaN by None in plain values, and round what is left."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value
