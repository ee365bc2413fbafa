"""How a run ends follows from what became of its scans."""

from pathlib import Path

import pytest

from medunsup.cli.printing import exit_code
from medunsup.run.batch import CohortResult, Outcome
from medunsup.run.summary import ScanOutcome


def judged(*verdicts):
    return CohortResult(tuple(ScanOutcome(Path(word), "done", verdict=word) for word in verdicts))


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "code"),
    [
        (("pass", "partial", "check", "fail"), None, 0),
        (("pass", "partial", "check"), "fail", 0),
        (("pass", "fail"), "fail", 3),
        (("pass", "partial"), "check", 0),
        (("pass", "check"), "check", 3),
        (("pass", "fail"), "check", 3),
    ],
)
def test_a_verdict_ends_the_run_in_3_only_where_that_was_asked_for(verdicts, fail_on, code):
    assert exit_code(judged(*verdicts), fail_on) == code


def test_a_scan_in_error_weighs_more_than_any_verdict():
    scans = (*judged("fail").scans, ScanOutcome(Path("x"), "error", error="x: broken"))
    assert exit_code(CohortResult(scans), "fail") == 1
    wrong = (Outcome(Path("x"), "error", error="x: no series 9", is_wrong_use=True),)
    assert exit_code(CohortResult(wrong), None) == 2
