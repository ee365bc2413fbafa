"""The page of many scans that detect looked at: most unusual first, those out of distribution (OOD) apart."""

import json
import re
from dataclasses import asdict, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.anomaly_results import FLAG, found_on_the_left
from helpers.chromium_pipe import Page
from helpers.phantom import Anatomy
from PIL import Image

from medunsup.anomaly.result import Finding
from medunsup.cohort.failed import FailedScan
from medunsup.core.errors import InputError
from medunsup.report.detect.group_page import chance_words, write_group_page
from medunsup.report.detect.group_scan import models_of
from medunsup.report.detect.group_shift import shift_words, tail
from medunsup.report.detect.page import write_page
from medunsup.report.detect.thumbnail import thumbnail
from medunsup.workflows.detect.group import write_table_and_page
from medunsup.workflows.detect.results import read_scans

MODEL = {
    "folder": "runs",
    "model": "pca",
    "score": "zscore",
    "steps": [],
    "contrast": "T1w",
    "n_train": 37,
    "n_calibration": 40,
    "weights_sha256": "cd" * 32,
}
NOWHERE = (0.0, 0.0, 0.0)


def facts(
    p: float, *ml: float, flagged: str = "", alpha: float | None = 0.05, **model: str
) -> dict[str, Any]:
    found = [
        Finding(n, 1000 * one, NOWHERE, NOWHERE, 9.0, 4.0, 8.0, "left", "frontal lobe", "WM", 0.9)
        for n, one in enumerate(ml, start=1)
    ]
    verdict = None if flagged or alpha is None else p <= alpha
    return {
        "Medunsup": {"Inputs": [{"Role": "scan", "Name": "scan_T1w.nii.gz"}]},
        "Model": MODEL | model,
        "PValue": p,
        "HealthyScans": 40,
        "Alpha": alpha,
        "IsAnomalous": verdict,
        "FPPerScan": 1.0,
        "Findings": [asdict(one) for one in found],
        "Flags": [asdict(replace(FLAG, sentence=flagged))] if flagged else [],
    }


def put(folder: Path, name: str, content: Any) -> Path:
    place = folder / name / "anat"
    place.mkdir(parents=True)
    (place / f"{name}_desc-anomaly_mask.json").write_text(json.dumps(content))
    return place / f"{name}_desc-anomaly_report.html"


def page_of(folder: Path) -> str:
    return write_group_page(folder / "anomaly_group.html", read_scans(folder)).read_text("utf-8")


def names_in_order(text: str) -> list[str]:
    return re.findall(r'<th scope="row" data-value="([^"]+)"', text)


def pixels(picture: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(picture))).astype(int)


def test_smallest_p_comes_first_then_the_largest_volume_of_findings(tmp_path: Path) -> None:
    put(tmp_path, "sub-quiet", facts(0.8))
    put(tmp_path, "sub-small", facts(1 / 41, 0.2))
    put(tmp_path, "sub-large", facts(1 / 41, 0.2, 3.0))
    assert names_in_order(page_of(tmp_path)) == ["sub-large", "sub-small", "sub-quiet"]


def test_flagged_scans_stand_apart_at_the_end_with_the_reason_and_without_numbers(tmp_path: Path) -> None:
    put(tmp_path, "sub-flagged", facts(1 / 41, 77.7, flagged="The scan is FLAIR."))
    put(tmp_path, "sub-quiet", facts(0.8))
    text = page_of(tmp_path)
    assert names_in_order(text) == ["sub-quiet", "sub-flagged"]
    apart = text[text.index('<section id="apart">') :]
    assert "The scan is FLAIR." in apart
    assert "sub-quiet" not in apart
    assert "77.7" not in text
    assert text.count("<circle") == 1


def test_scans_without_a_result_come_before_all_others(tmp_path: Path) -> None:
    put(tmp_path, "sub-unusual", facts(0.01))
    broken = FailedScan("sub-broken_T1w.nii.gz", "sub-broken_T1w.nii.gz: is truncated.")
    text = write_group_page(tmp_path / "anomaly_group.html", read_scans(tmp_path), [broken]).read_text(
        "utf-8"
    )
    assert names_in_order(text) == ["sub-broken_T1w.nii.gz", "sub-unusual"]
    assert "2 scans" in re.search("<h1>(.*?)</h1>", text)[1]


def test_scan_the_model_has_seen_stands_apart_with_that_as_its_reason(tmp_path: Path) -> None:
    put(tmp_path, "sub-known", facts(1.0) | {"SeenByModel": "train"})
    put(tmp_path, "sub-new", facts(0.8))
    text = page_of(tmp_path)
    assert names_in_order(text) == ["sub-new", "sub-known"]
    assert (
        "The model has seen this scan (it learned from this scan)."
        in text[text.index('<section id="apart">') :]
    )
    assert 'in the training set</dt><dd class="value">1<' in text
    assert text.count("<circle") == 1


KNOWN = "sub-a is also the label of a subject that the model learned from."
FEW = "40 calibration scans support no false-positive rate below 1/41."


def test_remark_on_one_scan_stands_in_its_row_and_what_holds_for_all_once(tmp_path: Path) -> None:
    few = {"Steps": [{"name": "calibration", "warnings": [FEW]}]}
    put(tmp_path, "sub-a", facts(0.8, alpha=None) | few | {"Remarks": [KNOWN]})
    put(tmp_path, "sub-b", facts(0.5, alpha=None) | few)
    text = page_of(tmp_path)
    assert text.count(FEW) == text.count(KNOWN) == 1
    assert text.index(FEW) < text.index('id="scans"')
    row = text[text.index('data-value="sub-a"') :]
    assert KNOWN in row[: row.index("</tr>")]


def test_table_holds_every_remark_of_a_scan_in_one_cell(tmp_path: Path) -> None:
    put(tmp_path, "sub-a", facts(0.8) | {"Remarks": [KNOWN, "Two\nlines\tand a tab."]})
    put(tmp_path, "sub-b", facts(0.5, flagged="Odd.") | {"Remarks": [KNOWN]})
    put(tmp_path, "sub-c", facts(0.5))
    write_table_and_page(tmp_path)
    header, *rows = (line.split("\t") for line in (tmp_path / "anomalies.tsv").read_text().splitlines())
    told = [row[header.index("remarks")] for row in rows]
    assert told == [f"{KNOWN} Two lines and a tab.", KNOWN, "none"]


def test_p_value_is_told_in_words(tmp_path: Path) -> None:
    put(tmp_path, "sub-1", facts(1 / 41))
    put(tmp_path, "sub-2", facts(4 / 41))
    text = page_of(tmp_path)
    assert "None of 40 healthy scans scored as much<" in text
    assert "3 of 40 healthy scans scored as much or more" in text


def test_chance_counts_the_scans_that_are_judged_at_the_rate_of_each(tmp_path: Path) -> None:
    for n in range(20):
        put(tmp_path, f"sub-{n:02d}", facts((n + 1) / 41))
    put(tmp_path, "sub-loose", facts(0.09, alpha=0.1))
    put(tmp_path, "sub-flagged", facts(0.5, flagged="Odd."))
    put(tmp_path, "sub-open", facts(0.01, alpha=None))
    words = chance_words([scan for scan in read_scans(tmp_path) if not scan.flags])
    assert words.startswith("Expected false positives if all 21 are healthy: at most 1.1 ")
    assert "(20 × 0.05 + 1 × 0.1); here 3 are called unusual." in words


def test_nothing_is_said_of_chance_where_no_rate_was_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "sub-1", facts(0.1, alpha=None))
    text = page_of(tmp_path)
    assert "by chance" not in text
    assert "</span>no verdict</td>" in text


def test_p_values_of_two_models_share_no_strip_and_the_page_says_so(tmp_path: Path) -> None:
    put(tmp_path, "sub-1", facts(0.9))
    put(tmp_path, "sub-2", facts(0.1, folder="later", weights_sha256="ef" * 32))
    text = page_of(tmp_path)
    assert "2 models looked at these scans" in text
    assert text.count("<figure") == 2
    assert names_in_order(text) == ["sub-2", "sub-1"]
    assert "models looked at" not in page_of(tmp_path / "sub-1")


def ranked(place: Path, ranks: list[int], **more: Any) -> tuple[str, ...]:
    """Put one scan for each rank among 40 healthy ones, and return what is said of them as a whole."""
    for n, rank in enumerate(ranks):
        put(place, f"sub-{n:02d}", facts(rank / 41, **more))
    scans = read_scans(place)
    return shift_words(scans, models_of(scans))


def test_cohort_of_another_scanner_is_told_though_no_scan_of_it_is_unusual(tmp_path: Path) -> None:
    (told,) = ranked(tmp_path, [3, 4, 5, 6] * 2 + [5, 5, 6, 30])
    assert told.startswith(
        "11 of 12 scans have p of .25 or less, where about 3 healthy ones would: as a whole"
    )
    text = page_of(tmp_path)
    assert '</span>unusual</dt><dd class="value">0<' in text
    assert text.index(told) < text.index('class="first"')


@pytest.mark.parametrize(
    "ranks",
    [list(range(2, 41, 3)), [3, 3, 4, 4], [3, 5, 7, 9, 20, 25, 30, 35, 40, 41]],
    ids=["spread evenly", "four are too few", "four of ten"],
)
def test_scans_spread_as_healthy_ones_or_too_few_are_not_warned_of(tmp_path: Path, ranks: list[int]) -> None:
    assert ranked(tmp_path, ranks) == ()
    assert 'class="warnings"' not in page_of(tmp_path)


def test_flagged_scans_and_those_of_other_models_are_not_counted_together(tmp_path: Path) -> None:
    assert ranked(tmp_path / "flagged", [3] * 12, flagged="Odd.") == ()
    for name in "abc":
        ranked(tmp_path / "models" / name, [3] * 4, folder=name, weights_sha256=name)
    scans = read_scans(tmp_path / "models")
    assert (len(scans), shift_words(scans, models_of(scans))) == (12, ())


def test_alarm_is_as_rare_among_healthy_scans_as_it_says() -> None:
    scores = np.random.default_rng(0).random((20_000, 19 + 12))
    p = (1 + (scores[:, None, :19] >= scores[:, 19:, None]).sum(-1)) / 20
    n_low = (p <= 0.25).sum(1)
    for least in (5, 8, 10):
        assert (n_low >= least).mean() == pytest.approx(tail(least, 12, 5, 19), abs=0.01)
    assert tail(0, 12, 5, 19) == 1


def test_all_scans_flagged_still_make_a_page(tmp_path: Path) -> None:
    put(tmp_path, "sub-1", facts(0.5, flagged="Odd."))
    text = page_of(tmp_path)
    assert names_in_order(text) == ["sub-1"]
    assert 'id="scans"' not in text


def test_each_scan_links_to_its_page_with_its_thumbnail(tmp_path: Path, brain: Anatomy) -> None:
    found = found_on_the_left(brain)
    page = write_page(found, put(tmp_path, "sub-a b", facts(0.1)))
    page.with_name("sub-a b_desc-anomaly_thumbnail.jpg").write_bytes(thumbnail(found))
    put(tmp_path, "sub-c", facts(0.2))
    text = page_of(tmp_path)
    assert 'href="sub-a%20b/anat/sub-a%20b_desc-anomaly_report.html"' in text
    assert text.count("data:image/jpeg") == 1
    assert not re.search(r'(?:src|href)="(?:https?:|//|file:|/)', text)


def test_thumbnail_shows_the_finding_on_its_side_and_no_map_of_a_flagged_scan(
    brain: Anatomy,
) -> None:
    found = found_on_the_left(brain)
    drawn = pixels(thumbnail(found))
    bright = np.ptp(drawn, axis=-1) > 60
    axial = bright[:, : int(drawn.shape[1] * 0.45)]
    assert bright.sum() > 10
    assert np.nonzero(axial)[1].mean() > 0.6 * axial.shape[1]
    flagged = pixels(thumbnail(replace(found, flags=(FLAG,))))
    assert np.ptp(flagged, axis=-1).max() < 40


def test_results_of_other_programs_and_of_killed_runs_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "sub-1", facts(0.5))
    for n, foreign in enumerate(({"Description": "another program's"}, None, 5, "Medunsup", ["Medunsup"])):
        put(tmp_path, f"sub-{n + 2}", foreign)
    put(tmp_path / ".medunsup-staging-sub-3.0123abcd", "sub-3", facts(0.5))
    assert names_in_order(page_of(tmp_path)) == ["sub-1"]


def test_result_of_another_version_is_left_out_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path, "sub-1", facts(0.1, 5.0))
    put(tmp_path, "sub-2", {**facts(0.1, 5.0), "Findings": [{"of": "earlier times"}]})
    put(tmp_path, "sub-3", facts(0.2, 5.0))
    assert names_in_order(write_table_and_page(tmp_path).page.read_text("utf-8")) == ["sub-1", "sub-3"]
    (told,) = caplog.messages  # for table and page together
    assert "sub-2_desc-anomaly_mask.json: was made by another version" in told


def test_result_that_does_not_say_among_how_many_it_was_ranked_keeps_its_p_value(tmp_path: Path) -> None:
    content = facts(0.25)
    del content["HealthyScans"]
    put(tmp_path, "sub-1", content)
    text = page_of(tmp_path)
    assert names_in_order(text) == ["sub-1"]
    assert ">0.25<" in text


def test_same_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    for n in range(4):
        put(tmp_path, f"sub-{n}", facts(0.2 * n + 0.1, n))
    assert page_of(tmp_path) == page_of(tmp_path)


def test_folder_without_results_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="medunsup detect"):
        write_group_page(tmp_path / "anomaly_group.html", read_scans(tmp_path))


@pytest.mark.slow
@pytest.mark.browser
def test_a_click_sorts_what_can_be_judged_and_nothing_sticks_out(browser: str, tmp_path: Path) -> None:
    for name, p, ml in (("sub-1", 0.1, 2.0), ("sub-2", 0.2, 9.0), ("sub-3", 0.3, 4.0)):
        put(tmp_path, name, facts(p, ml))
    put(tmp_path, "sub-4", facts(0.1, 5.0, flagged="Odd in a long sentence that has to be broken somewhere."))
    order = "Array.from(document.querySelectorAll('#scans tbody th')).map((cell) => cell.innerText).join()"
    with Page(browser) as page:
        page.open(write_group_page(tmp_path / "anomaly_group.html", read_scans(tmp_path)))
        assert page.run(order) == "sub-1,sub-2,sub-3"
        page.run("document.querySelectorAll('#scans th button')[4].click()")
        assert page.run(order) == "sub-1,sub-3,sub-2"
        page.resize(375, 900)
        assert page.run("document.documentElement.scrollWidth") <= 375
        assert page.errors == []
