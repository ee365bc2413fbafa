"""What a fine-tuned classifier came to on its test scans: AUC and balanced accuracy, and what they show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.metrics.bootstrap import Estimate, verdict_of
from medunsup.metrics.classification import (
    auc,
    auc_difference,
    auc_interval,
    balanced_accuracy,
    subjects_needed,
)
from medunsup.workflows.finetune.compared import WITH_SCRATCH, Against, Comparison, ShareFigures, against

MOST_NEEDED = 100_000
CHANCE = 0.5  # AUC of guessing
NEAR_CHANCE = 0.6  # below this a network whose interval reaches chance is said to have learned nothing

Told = Mapping[str, NDArray[np.float64]]  # probabilities (N, K) by network


@dataclass(frozen=True, eq=False)
class Truth:
    """Test scans or images: names, whose they are, and their classes (N,), 0 to K - 1."""

    scans: Sequence[str]
    subjects: Sequence[str]
    classes: NDArray[np.intp]


def class_figures(
    share: float,
    n_subjects: int,
    draws: Sequence[Told],
    truth: Truth,
    *,
    seed: int = 0,
    compared: Comparison = WITH_SCRATCH,
) -> ShareFigures:
    """Lay the AUC of a share of the labels together; `draws` hold what the networks said, one a draw."""
    said = {arm: [draw[arm] for draw in draws] for arm in draws[0]}
    per_draw = {arm: [float(auc(one, truth.classes)[0]) for one in fits] for arm, fits in said.items()}
    means = {arm: auc_interval(fits, truth.classes, truth.subjects, seed=seed) for arm, fits in said.items()}
    other = compared.reference
    differences = {
        arm: auc_difference(fits, said[other], truth.classes, truth.subjects, seed=seed)
        for arm, fits in said.items()
        if other in said and arm != other
    }
    nothing = other in means and learned_nothing(means[other])
    found = {arm: _against(one, compared, nothing) for arm, one in differences.items()}
    return ShareFigures(share, n_subjects, per_draw, means, found, compared)


def accuracies(draws: Sequence[Told], truth: Truth) -> dict[str, float]:
    """Return the balanced accuracy of each network, a mean over draws."""
    return {
        arm: float(np.mean([balanced_accuracy(draw[arm], truth.classes) for draw in draws]))
        for arm in draws[0]
    }


def one_class(draws: Sequence[Told], classes: Sequence[str]) -> list[str]:
    """Say which networks call all test items the same class, whatever their AUC."""
    found = []
    for arm in draws[0]:
        called = [np.unique(draw[arm].argmax(axis=1)) for draw in draws]
        stuck = [classes[each[0]] for each in called if len(each) == 1]
        if stuck:
            found.append(
                f"The network {arm} calls all test items the same ({', '.join(sorted(set(stuck)))}) in "
                f"{len(stuck)} of {len(draws)} draws: its classes say nothing, whatever its AUC. More steps "
                f"may help."
            )
    return found


def unlearned(largest: ShareFigures) -> list[str]:
    """Say that training from scratch told nothing apart, so that a gain over it may be one of time alone."""
    scratch = largest.means.get("scratch")
    if scratch is None or scratch.low > CHANCE:
        return []
    return [
        "The network from scratch cannot be told from guessing (an AUC of .5 or less lies in its interval): "
        "with more steps it may catch up, and the comparison come out otherwise."
    ]


def learned_nothing(auc_of: Estimate) -> bool:
    """Say whether an AUC is that of guessing: it is near .5, and its interval reaches it."""
    return auc_of.value < NEAR_CHANCE and not auc_of.low > CHANCE


def _against(difference: Estimate, compared: Comparison, is_unlearned: bool) -> Against:
    needed = subjects_needed(difference)
    known = int(needed) if np.isfinite(needed) and needed <= MOST_NEEDED else None
    return against(difference, verdict_of(difference), known, compared, is_unlearned=is_unlearned)
