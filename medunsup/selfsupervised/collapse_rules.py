"""Rules that tell a collapse from a healthy run: each says what it sees and which knob to turn, or None.

Limits were chosen on small trainings with seeds 0 to 2 (`benchmarks/collapse.py`) so that twelve injected
collapses are named after two epochs and healthy runs never are, and then confirmed on other seeds. Most are
shares of what a figure was before the first epoch, as networks differ: without batch norm embeddings begin
nearly alike, and a healthy run spreads them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from medunsup.selfsupervised.monitors import Monitors

Kind = Literal["contrastive", "predictive", "distillation", "redundancy", "reconstruction", "classification"]
Words = tuple[str, str]

NO_SPREAD = 0.02
DISTINCT_VIEWS = 0.6
NEAR_GUESSING, ABOUT_GUESSING = 0.03, 0.1  # shares of the loss of guessing
FAR_ABOVE_GUESSING = 10  # times it; cosine similarities cannot reach that at a temperature of .05 or more
UNIFORM_ENTROPY = 0.99
FEW_PROTOTYPES = 0.15
LOW_SPREAD = 0.3
FEW_DIMENSIONS = 2.2
FEATURES_LEFT, FEATURE_RANK = 0.3, 2.5  # share of the first spread; a healthy run lost 60 % of it
UNRELATED_VIEWS, POOR_ALIGNMENT = 0.95, 0.5
ALIGNMENT_LEFT, UNCHANGED = 0.6, 0.9  # shares of the first; healthy runs went below .55 in one epoch

LEARNING_RATE = "lower the learning rate"
CONSTANT_KNOBS: dict[Kind, str] = {
    "contrastive": f"{LEARNING_RATE}, and see that negatives are other subjects",
    "predictive": "stop the gradient at the target, keep batch norm in projector and predictor, or raise the "
    "teacher's momentum",
    "distillation": f"centre the teacher's outputs, keep batch norm in the projector, or {LEARNING_RATE}",
    "redundancy": f"raise the weight of decorrelation, or {LEARNING_RATE}",
    "reconstruction": f"{LEARNING_RATE}, or hide less",
    "classification": "learn from patches, or for fewer epochs: scans that lie alike are one class",
}


@dataclass(frozen=True)
class Case:
    """A run so far: what the rules look at."""

    history: Sequence[Monitors]
    kind: Kind
    guessing: float | None

    @property
    def now(self) -> Monitors:
        """The last epoch."""
        return self.history[-1]

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return sum(one.epoch > 0 for one in self.history)

    @property
    def share_of_guessing(self) -> float:
        """The loss as a share of that of guessing; NaN if there is none."""
        return _share(self.now.loss, self.guessing)

    def left(self, figure: str) -> float:
        """Return a figure as a share of what it was at first; NaN if there is none."""
        return _share(getattr(self.now, figure), getattr(self.history[0], figure))


Rule = Callable[[Case], Words | None]


def _share(part: float | None, whole: float | None) -> float:
    return math.nan if part is None or not whole else part / whole


def _not_finite(case: Case) -> Words | None:
    now = case.now
    figures = (now.loss, now.feature_std, now.embedding_std, now.teacher_entropy)
    if all(one is None or math.isfinite(one) for one in figures):
        return None
    return (
        "loss or features are not finite",
        f"look for NaN or infinite voxels in the scans, then {LEARNING_RATE}",
    )


def _zero_features(case: Case) -> Words | None:
    if case.now.zero_share <= 0.5:
        return None
    return (
        f"features of {case.now.zero_share:.0%} of the items are all 0",
        "the encoder's last units are dead: start anew with a lower learning rate",
    )


def _repeated_augmentations(case: Case) -> Words | None:
    distinct = case.now.distinct_views
    if distinct is None or distinct >= DISTINCT_VIEWS:
        return None
    return (
        f"only {distinct:.0%} of the views of one item differ from all others",
        "workers, epochs or both views repeat their augmentations: give each its own random numbers",
    )


def _cold_temperature(case: Case) -> Words | None:
    if case.kind != "contrastive" or not case.share_of_guessing > FAR_ABOVE_GUESSING:
        return None
    return f"the loss is {case.share_of_guessing:.0f} times that of guessing", "raise the temperature"


def _uniform_teacher(case: Case) -> Words | None:
    entropy = case.now.teacher_entropy
    if entropy is None or entropy <= UNIFORM_ENTROPY or case.epochs < 2:
        return None
    return (
        f"the teacher calls all prototypes equally likely (entropy {entropy:.3f} of 1)",
        "lower the teacher's temperature",
    )


def _few_prototypes(case: Case) -> Words | None:
    used = case.now.prototypes_used
    if used is None or used >= FEW_PROTOTYPES or not case.left("prototypes_used") < 0.5:
        return None
    return (
        f"{used:.0%} of the prototypes take all items",
        "centre the teacher's outputs, with a lower momentum, or raise the teacher's temperature",
    )


def _dead_projector(case: Case) -> Words | None:
    spread = case.now.embedding_std
    if spread is None or spread >= NO_SPREAD or _alike_features(case) is not None:
        return None
    return (
        f"embeddings are all alike (spread {spread:.3f} of 1), but the encoder's features are not",
        "the projector is dead: start anew with batch norm in it or a lower learning rate",
    )


def _unrelated_views(case: Case) -> Words | None:
    aligned = [one.alignment or 0.0 for one in (case.history[0], case.now)]
    is_near = abs(case.share_of_guessing - 1) < NEAR_GUESSING
    if case.kind != "contrastive" or not is_near or min(aligned) < UNRELATED_VIEWS:
        return None
    return (
        f"the loss is that of guessing ({case.guessing:.2f}), and views of an item have nothing in common",
        "weaken the augmentations, noise and cropping first",
    )


def _wrong_positives(case: Case) -> Words | None:
    losses = [one.loss for one in case.history if one.loss is not None]
    has_fallen = len(losses) > 1 and losses[-1] < (1 - NEAR_GUESSING) * losses[0]
    is_low = case.kind == "contrastive" and case.share_of_guessing < 1 + NEAR_GUESSING
    is_apart = (case.now.alignment or 0.0) > POOR_ALIGNMENT and case.left("alignment") >= ALIGNMENT_LEFT
    if not (has_fallen and is_low and is_apart):
        return None
    return (
        f"the loss fell ({losses[0]:.2f} to {losses[-1]:.2f}), but views of an item came hardly closer",
        "the positives are not the views of one item: look in which order views are laid together",
    )


def _loss_of_guessing(case: Case) -> Words | None:
    is_about = abs(case.share_of_guessing - 1) < ABOUT_GUESSING
    is_dead = _alike_features(case) is not None  # too high a learning rate ends in the same loss
    if case.kind != "contrastive" or case.epochs < 2 or not is_about or is_dead:
        return None
    if case.left("alignment") < UNCHANGED:
        return None
    return (
        f"the loss ({case.now.loss:.2f}) is about that of guessing ({case.guessing:.2f}), and views of an "
        "item come no closer",
        "lower the temperature, raise the learning rate, and see that gradients reach the encoder",
    )


def _alike_features(case: Case) -> Words | None:
    """Means of restoring encoders may lose spread and rank while their maps restore what was hidden."""
    spread, rank = case.now.feature_std, case.now.feature_rank
    is_less = case.left("feature_std") < FEATURES_LEFT and rank < FEATURE_RANK
    if not (spread < NO_SPREAD or (is_less and case.kind != "reconstruction")):
        return None
    is_behind = (case.now.embedding_std or 0.0) >= LOW_SPREAD
    return (
        f"the encoder's features are nearly alike (spread {spread:.3f} of 1, rank {rank:.1f})",
        LEARNING_RATE if is_behind else CONSTANT_KNOBS[case.kind],
    )


def _few_dimensions(case: Case) -> Words | None:
    rank = case.now.embedding_rank
    if rank is None or rank >= FEW_DIMENSIONS or case.epochs < 2:
        return None
    return (
        f"embeddings fill {rank:.1f} dimensions",
        "see that no layer is that narrow, raise the weight of decorrelation or lower the temperature",
    )


def _constant(case: Case) -> Words | None:
    """Embeddings by decorrelation are not judged: its loss takes their mean off."""
    spread = case.now.embedding_std
    if spread is None or case.kind == "redundancy":
        return None
    if not (spread < LOW_SPREAD and case.left("embedding_std") < 0.5):
        return None
    return f"embeddings are nearly alike (spread {spread:.3f} of 1)", CONSTANT_KNOBS[case.kind]


RULES: dict[str, Rule] = {
    "not_finite": _not_finite,
    "zero_features": _zero_features,
    "repeated_augmentations": _repeated_augmentations,
    "cold_temperature": _cold_temperature,
    "uniform_teacher": _uniform_teacher,
    "few_prototypes": _few_prototypes,
    "dead_projector": _dead_projector,
    "unrelated_views": _unrelated_views,
    "wrong_positives": _wrong_positives,
    "loss_of_guessing": _loss_of_guessing,
    "alike_features": _alike_features,
    "constant": _constant,
    "few_dimensions": _few_dimensions,
}
