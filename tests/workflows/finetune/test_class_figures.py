"""A comparison with a network that has learned nothing says so."""

import numpy as np
import pytest

from medunsup.workflows.finetune.classification.figures import Truth, class_figures, one_class, unlearned
from medunsup.workflows.finetune.compared import SCRATCH, UNLEARNED
from medunsup.workflows.finetune.manifest_words import tone_of

CLASSES = np.arange(40) % 2
NAMES = [f"image{n}" for n in range(40)]
TRUTH = Truth(NAMES, NAMES, CLASSES)
RIGHT = np.stack([1.0 - CLASSES, 1.0 * CLASSES], axis=1)
GUESSED = np.full((40, 2), 0.5)


def test_a_gain_over_a_network_that_guesses_is_told_apart():
    (said,) = unlearned(class_figures(1.0, 40, [{"finetuned": RIGHT, SCRATCH: GUESSED}], TRUTH))
    assert "guessing" in said
    assert unlearned(class_figures(1.0, 40, [{"finetuned": GUESSED, SCRATCH: RIGHT}], TRUTH)) == []


def test_a_network_that_calls_all_items_the_same_is_named():
    leaning = np.stack([0.4 - 0.1 * CLASSES, 0.6 + 0.1 * CLASSES], axis=1)  # an AUC of 1
    (said,) = one_class([{"finetuned": leaning}, {"finetuned": RIGHT}], ["well", "ill"])
    assert "finetuned calls all test items the same (ill) in 1 of 2 draws" in said
    assert one_class([{"finetuned": RIGHT}], ["well", "ill"]) == []


def test_without_baselines_nothing_is_said_of_scratch():
    assert unlearned(class_figures(1.0, 40, [{"finetuned": GUESSED}], TRUTH)) == []


@pytest.mark.parametrize("own", [RIGHT, GUESSED, 1 - RIGHT])
def test_beside_guessing_nothing_is_better_or_worse(own):
    figures = class_figures(1.0, 40, [{"finetuned": own, "frozen": own, SCRATCH: GUESSED}], TRUTH)
    assert figures.verdict == figures.against["frozen"].words == UNLEARNED
    assert tone_of(figures.verdict) == "check"
    assert figures.as_json()["against_scratch"]["finetuned"]["words"] == UNLEARNED


def test_scratch_that_has_learned_little_is_compared_all_the_same():
    little = np.where(np.arange(40)[:, None] % 4 < 2, RIGHT, GUESSED)
    assert class_figures(1.0, 40, [{"finetuned": RIGHT, SCRATCH: little}], TRUTH).verdict != UNLEARNED
