"""The page of an evaluation says what was shown, and no more."""

import dataclasses
import re

import pytest
from helpers.evaluated import evaluation

from medunsup.anomaly.evaluation import SyntheticFigures
from medunsup.metrics.comparison import gather
from medunsup.report.evaluate.page import write_evaluation
from medunsup.report.evaluate.words import verdict

HIGH, LOW = [0.7, 0.72, 0.68, 0.71, 0.69, 0.73, 0.7], [0.5, 0.51, 0.5, 0.48, 0.52, 0.5, 0.49]
MIXED = [0.3, 0.7, 0.4, 0.6, 0.5, 0.55, 0.45]
SYNTHETIC = SyntheticFigures(
    volumes_mm3=(1000.0, 3000.0),
    contrasts_sd=(-3.0, 0.0, 3.0),
    sensitivity=((0.5, 0.0, 0.75), (1.0, 0.0, 1.0)),
    levels=(0.0, 0.5, 1.0),
    level_volume_mm3=3000.0,
    average_precision=(0.8, 0.05, 0.9),
    prevalence=0.01,
    false_positives=1.0,
    n_lesions=4,
)


@pytest.fixture
def page(tmp_path):
    result = evaluation(HIGH, LOW)
    told = {"warnings": ("The scan is tilted.",), "flags": ("side", "pattern")}
    warned = dataclasses.replace(result.cases[0], **told)
    result = dataclasses.replace(result, synthetic=SYNTHETIC, cases=(warned, *result.cases[1:]))
    return write_evaluation(result, tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("model", "baseline", "title"),
    [
        (HIGH, LOW, "Better than every baseline"),
        (LOW, HIGH, "Worse than a baseline"),
        (MIXED, MIXED[::-1], "Not shown to be better"),
        (HIGH[:5], LOW[:5], "Too few subjects to say"),
        ([], [], "No lesions to find"),
    ],
)
def test_the_verdict_claims_what_the_intervals_allow(model, baseline, title):
    assert verdict(evaluation(model, baseline)).words.title == title


def test_the_first_screen_shows_verdict_picture_and_three_numbers(page):
    first = page[page.index('class="first"') : page.index("</section>")]
    assert "Better than every baseline" in first
    assert "0.704 [" in first
    assert len(re.findall('class="value"', first)) == 3
    assert "<svg" in first


def test_scans_the_model_cannot_judge_are_told_beside_the_verdict():
    result = evaluation(HIGH, LOW)
    odd = dataclasses.replace(result.cases[0], flags=("contrast",))
    cases = (odd, *result.cases[1:])
    told = verdict(dataclasses.replace(result, cases=cases, figures=gather(cases))).reasons
    assert any("1 of 7 scans with lesions are unlike" in text and "without them" in text for text in told)
    assert not any("unlike" in text for text in verdict(result).reasons)


def test_a_baseline_that_is_the_model_itself_is_called_the_same():
    (first, *_) = verdict(evaluation(HIGH, HIGH)).reasons
    assert first.endswith("does the same as this model.")


def test_a_confounded_site_is_told_on_the_first_screen(page):
    assert "what is found may be the scanner" in page[: page.index("</section>")]


def test_every_best_dice_is_called_an_oracle(page):
    assert page.count("Dice, oracle") == 2
    assert "best dice" not in page.lower()


def test_the_page_loads_nothing(page):
    assert not re.findall(r'(?:src|href)="(?!#|data:)', page)
    assert "<script" not in page


def test_synthetic_lesions_and_warnings_of_scans_are_shown(page):
    assert "Blind spots" in page
    assert "One lesion per scan (ellipsoids), 4 per cell" in page
    assert "75 %" in page
    assert "sub-0_FLAIR.nii.gz (sub-0): The scan is tilted." in page


def test_a_table_of_noughts_is_put_into_words(page, tmp_path):
    none = dataclasses.replace(
        SYNTHETIC, sensitivity=tuple((0.0,) * len(row) for row in SYNTHETIC.sensitivity)
    )
    result = dataclasses.replace(evaluation(HIGH, LOW), synthetic=none)
    assert "None was found" in write_evaluation(result, tmp_path / "none.html").read_text("utf-8")
    assert "None was found" not in page


def test_only_scans_unlike_the_healthy_ones_are_marked_so(page):
    assert page.count('class="what flagged"') == 1
    assert "unlike the model’s healthy scans: side, pattern" in page


def test_an_evaluation_of_healthy_scans_alone_has_a_page(tmp_path):
    page = write_evaluation(evaluation([], []), tmp_path / "report.html").read_text("utf-8")
    assert "No lesions to find" in page
    assert "promised: 1 on average" in page
