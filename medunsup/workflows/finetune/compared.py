"""A network beside another, such as that from scratch, in figures and words; so for shares of the labels."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medunsup.metrics.bootstrap import Estimate, Verdict, least_subjects

FINETUNED, FROZEN, SCRATCH = "finetuned", "frozen", "scratch"
ARM_WORDS = {
    FINETUNED: "fine-tuned, all layers",
    FROZEN: "encoder frozen",
    SCRATCH: "from scratch",
}
NOT_COMPARED = "not compared with scratch"
UNLEARNED = "not comparable: scratch learned nothing"


@dataclass(frozen=True)
class Comparison:
    """Which network is set against which `reference`, and the words of both.

    `arms` are the words of each network; `beside` those of the reference in "worse than ...", `key` its name
    in figures.json. `heading` begins the verdict, `gain` says what a difference above 0 is, `alike`
    what networks had in common, `limit` what the comparison cannot show.
    """

    main: str
    reference: str
    arms: Mapping[str, str]
    beside: str
    key: str
    heading: str
    gain: str
    alike: str
    limit: str

    @property
    def key_of_all(self) -> str:
        """Where figures.json holds the differences of the largest share: "AgainstScratch"."""
        return "Against" + self.key.title().replace("_", "")


WITH_SCRATCH = Comparison(
    FINETUNED,
    SCRATCH,
    ARM_WORDS,
    beside="scratch",
    key="scratch",
    heading="Fine-tuned, beside training from scratch",
    gain="Above 0 pretraining has gained.",
    alike="Last weights of each network; all had the same batches.",
    limit="Networks are compared with their last weights after as many steps, on the same batches. With more "
    "steps, or another step size, training from scratch may catch up.",
)


@dataclass(frozen=True)
class Against:
    """A network less the reference, paired by subject; `needed` subjects would show it."""

    difference: Estimate
    words: str
    needed: int | None


@dataclass(frozen=True)
class ShareFigures:
    """What the networks come to with a share of the training labels.

    `per_draw` are the figures of the test subjects, one a draw of the labels, by network; `means` their means
    over draws, with intervals over test subjects; `against` compares networks with the reference of
    `compared`, draw by draw.
    """

    share: float
    n_subjects: int
    per_draw: Mapping[str, Sequence[float]]
    means: Mapping[str, Estimate]
    against: Mapping[str, Against]
    compared: Comparison = WITH_SCRATCH

    @property
    def verdict(self) -> str:
        """What the interval says of the main network against the reference."""
        main = self.compared.main
        return self.against[main].words if main in self.against else NOT_COMPARED

    def sd(self, arm: str) -> float | None:
        """Return the standard deviation of a network's figure over draws; None of one draw."""
        values = self.per_draw[arm]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def as_json(self) -> dict[str, Any]:
        """Return plain values; NaN becomes null."""
        draws = len(next(iter(self.per_draw.values())))
        return {
            "share": plain_value(self.share),
            "subjects": self.n_subjects,
            "draws": draws,
            "networks": {
                arm: {**plain_estimate(one), "sd": plain_value(self.sd(arm))}
                for arm, one in self.means.items()
            },
            "per_draw": {arm: plain_value(list(values)) for arm, values in self.per_draw.items()},
            f"against_{self.compared.key}": plain_against(self.against),
        }


def against(
    difference: Estimate,
    verdict: Verdict,
    needed: int | None,
    compared: Comparison = WITH_SCRATCH,
    *,
    is_unlearned: bool = False,
) -> Against:
    """Put a difference into words.

    Where the network from scratch `is_unlearned`, the difference tells that its training was too short, and
    not what pretraining is worth: it is neither better nor worse.
    """
    if is_unlearned and compared.reference == SCRATCH and verdict != "underpowered":
        return Against(difference, UNLEARNED, None)
    about = "" if needed is None else f" (would need about {max(needed, least_subjects())} subjects)"
    words = {
        "better": "better",
        "worse": f"worse than {compared.beside}",
        "no difference shown": f"no difference seen{about}",
        "underpowered": f"too few test subjects to tell: {difference.n} of at least {least_subjects()}",
    }
    return Against(difference, words[verdict], needed)


def plain_against(found: Mapping[str, Against]) -> dict[str, Any]:
    """Return plain values; NaN becomes null."""
    return {
        arm: {"difference": plain_estimate(one.difference), "words": one.words, "subjects_needed": one.needed}
        for arm, one in found.items()
    }


def plain_estimate(estimate: Estimate) -> dict[str, Any]:
    """Return an interval as plain values; NaN becomes null."""
    return {key: plain_value(value) for key, value in asdict(estimate).items() if key != "confidence"}


def plain_value(value: Any) -> Any:
    """Replace NaN by None in plain values, and round what is left."""
    if isinstance(value, dict):
        return {key: plain_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value
