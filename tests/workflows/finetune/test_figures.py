"""What is said of a fine-tuning follows from the interval over subjects, and from nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medunsup.cohort.dataset.sources import Case
from medunsup.core.labels import Label
from medunsup.workflows.finetune.compared import FINETUNED, FROZEN, SCRATCH, UNLEARNED
from medunsup.workflows.finetune.figures import GRID, NATIVE, CaseDice, gather, unlearned
from medunsup.workflows.finetune.folder import prediction_names

LABELS = (Label(1, "1", "one", (230, 159, 0)), Label(4, "4", "four", (86, 180, 233)))


def cases(differences, *, scratch: float = 0.6, repeats: int = 1) -> list[CaseDice]:
    """Test scans, `repeats` of each subject, fine-tuned better than scratch by these differences."""
    made = []
    for n, difference in enumerate(differences):
        dice = {
            arm: {space: [value, value] for space in (GRID, NATIVE)}
            for arm, value in ((FINETUNED, scratch + difference), (FROZEN, 0.5), (SCRATCH, scratch))
        }
        made += [CaseDice(f"scan {n} {k}", f"subject {n}", dice) for k in range(repeats)]
    return made


STEADY = np.linspace(0.02, 0.04, 8)


@pytest.mark.parametrize(
    ("differences", "said"),
    [
        (STEADY, r"better"),
        (-STEADY, r"worse than scratch"),
        (STEADY - 0.031, r"no difference seen \(would need about \d+ subjects\)"),
        (STEADY[:5], r"too few test subjects to tell: 5 of at least 6"),
        (np.zeros(8), r"no difference seen"),
    ],
)
def test_words_follow_from_the_interval(differences, said):
    assert re.fullmatch(said, gather(cases(differences), LABELS).verdict)


@given(st.lists(st.floats(-0.3, 0.3), min_size=6, max_size=12))
@settings(max_examples=25, deadline=None)
def test_better_only_above_zero_and_worse_only_below(differences):
    against = gather(cases(differences), LABELS).against[FINETUNED]
    low, high = against.difference.low, against.difference.high
    assert (against.words == "better") == (low > 0)
    assert (against.words == "worse than scratch") == (high < 0)
    assert against.words.startswith("no difference seen") == (low <= 0 <= high)


def test_scans_of_one_subject_make_no_more_subjects():
    once, thrice = (gather(cases(STEADY[:5], repeats=k), LABELS) for k in (1, 3))
    assert once.verdict == thrice.verdict
    assert thrice.means[FINETUNED][NATIVE] == once.means[FINETUNED][NATIVE]


def test_a_label_that_a_scan_lacks_is_no_zero():
    one = CaseDice("scan", "subject", {FINETUNED: {GRID: [0.5, float("nan")], NATIVE: [0.8, float("nan")]}})
    figures = gather([one], LABELS)
    assert figures.means[FINETUNED][NATIVE].value == pytest.approx(0.8)
    text = json.dumps(figures.as_json(), allow_nan=False)
    assert json.loads(text)["DicePerLabel"][FINETUNED][1]["value"] is None


def test_label_maps_are_named_after_their_scans_and_never_alike():
    scans = ["a/sub-01_ses-1_T1w.nii.gz", "a/head.nii.gz", "b/head.nii.gz"]
    names = prediction_names([Case(Path(scan), f"who{n}") for n, scan in enumerate(scans)])
    assert names[0] == "sub-01_ses-1_desc-finetuned_dseg.nii.gz"
    assert len(set(names)) == 3
    assert all(name.endswith("head_desc-finetuned_dseg.nii.gz") for name in names[1:])


def test_a_label_that_no_network_finds_is_named():
    def one(fine: float, scratch: float) -> CaseDice:
        arms = ((FINETUNED, fine), (SCRATCH, scratch))
        dice = {arm: {space: [0.5, value] for space in (GRID, NATIVE)} for arm, value in arms}
        return CaseDice("scan", "subject", dice)

    (said,) = unlearned(gather([one(0.0, 0.0)], LABELS))
    assert "four" in said
    assert "one" not in said.removeprefix("No network")
    assert unlearned(gather([one(0.0, 0.1)], LABELS)) == []


@pytest.mark.parametrize(
    ("scratch", "is_compared"),
    [
        ((0.0, 0.0), False),
        ((0.04, 0.01), False),
        ((0.55, 0.0), False),
        ((0.9, 0.0), True),
        ((0.3, 0.1), True),
    ],
)
def test_scratch_that_finds_nothing_or_gives_one_label_everywhere_is_no_comparison(scratch, is_compared):
    arms = {FINETUNED: (0.8, 0.8), SCRATCH: scratch}
    dice = {arm: {key: list(values) for key in (GRID, NATIVE)} for arm, values in arms.items()}
    found = gather([CaseDice(f"scan {n}", f"subject {n}", dice) for n in range(8)], LABELS)
    assert found.verdict == ("better" if is_compared else UNLEARNED)
    assert found.against[FINETUNED].needed is None or is_compared
