"""Progress on a terminal, and what errors look like."""

import io
import json
import logging
import math
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from medunsup.cli._console import Moving, display, one_line_errors, print_json
from medunsup.core.errors import InputError, UsageError
from medunsup.training.signals import StoppedError
from medunsup.workflows.segment.outcome import ScanOutcome


def test_a_terminal_shows_a_line_for_each_scan_that_is_worked_on():
    with Moving([Path("a.nii"), Path("b.nii")]) as shown:
        shown.step(Path("a.nii"), "load")
        shown.step(Path("b.nii"), "load")
        shown.step(Path("a.nii"), "mixture")
        assert [task.fields["now"] for task in shown.progress.tasks[1:]] == ["mixture", "load"]
        shown.finished(ScanOutcome(Path("a.nii"), "done"))
        assert [task.description for task in shown.progress.tasks] == ["scans", "b.nii"]
        assert shown.progress.tasks[0].completed == 1


def test_a_log_has_a_line_for_each_scan_of_the_pass_that_learns_a_prior(capsys):
    scans = [Path("a.nii"), Path("b.nii")]
    with display(scans, quiet=False) as shown:
        for scan in scans:
            shown.step(scan, "first pass, load")
            shown.first_pass(scan)
        shown.finished(ScanOutcome(scans[0], "done"))
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["first pass [1/2] a.nii: done, about 1 s left", "first pass [2/2] b.nii: done"]
    assert told[2].startswith("[1/2] a.nii: done")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_json_holds_numbers_of_six_digits_that_count_and_none_that_json_lacks(value):
    with redirect_stdout(io.StringIO()) as out:
        print_json({"here": [value, {"and": (value,)}], "n": 3})
    told = json.loads(out.getvalue(), parse_constant=pytest.fail)
    first, nested = told["here"]
    assert nested["and"] == [first]
    assert told["n"] == 3
    if math.isfinite(value):
        assert first == pytest.approx(value, rel=6e-6, abs=1e-300)
    else:
        assert first is None


def test_json_does_not_print_what_a_sum_of_fractions_left_behind(capsys):
    print_json({"ml": 781.5260999999999, "p": 0.3076923076923077, "mm3": 1234567.8, "small": 1.23456789e-7})
    assert json.loads(capsys.readouterr().out) == {
        "ml": 781.526,
        "p": 0.307692,
        "mm3": 1234568.0,
        "small": 1.23457e-7,
    }


def test_quiet_shows_nothing(capsys):
    with display((), quiet=True) as shown:
        shown.step(Path("a.nii"), "load")
        shown.finished(ScanOutcome(Path("a.nii"), "done"))
    assert capsys.readouterr() == ("", "")


def test_a_log_has_a_line_for_each_of_several_scans_and_no_steps(capsys):
    scans = [Path("a/T1.nii"), Path("b/T1.nii"), Path("c/T2.nii")]
    with display(scans, quiet=False) as shown:
        for scan in scans:
            shown.step(scan, "load")
            shown.finished(ScanOutcome(scan, "done"))
    told = capsys.readouterr().err.splitlines()
    rest = ", about 1 s left"
    assert told == [f"[1/3] a/T1.nii: done{rest}", f"[2/3] b/T1.nii: done{rest}", "[3/3] T2.nii: done"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("wrong"), 2),
        (InputError("bad"), 1),
        (StoppedError("stopped by Ctrl-C"), 130),
        (KeyboardInterrupt(), 130),
        (SystemExit(143), 143),
    ],
)
def test_each_kind_of_error_has_its_exit_code_and_one_line(capsys, error, code):
    with pytest.raises(typer.Exit) as caught, one_line_errors(as_json=True):
        raise error
    printed = capsys.readouterr()
    assert caught.value.exit_code == code
    assert len(printed.err.splitlines()) == 1
    assert json.loads(printed.out)["exit_code"] == code


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_of_our_own_is_not_hidden_and_its_traceback_is_for_debugging(capsys, debug):
    with pytest.raises(typer.Exit) as caught, one_line_errors(debug=debug):
        raise ZeroDivisionError
    told = capsys.readouterr().err
    assert caught.value.exit_code == 1
    assert "ZeroDivisionError" in told.splitlines()[-1]
    assert ("Traceback" in told) == debug


def test_logged_errors_are_seen_and_logged_warnings_only_when_debugging(capsys):
    for debug in (False, True):
        with one_line_errors(debug=debug):
            logging.getLogger("medunsup.io").warning("a detail")
            logging.getLogger("medunsup.workflows").error("the page is missing")
        told = capsys.readouterr().err
        assert "medunsup: the page is missing" in told
        assert ("a detail" in told) == debug


def test_what_is_logged_while_a_bar_moves_stands_on_a_line_of_its_own(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with one_line_errors(), Moving([Path("a.nii")]) as shown:
        shown.step(Path("a.nii"), "load")
        shown.progress.refresh()
        logging.getLogger("medunsup.workflows.train.train").warning("out: begins anew.")
    drawn = re.split(r"[\r\n]|\x1b\[\d*K", capsys.readouterr().err)
    assert "medunsup: out: begins anew." in drawn


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("medunsup.workflows.x", True),
        ("medunsup.cohort.x", True),
        ("medunsup.anomaly.x", True),
        ("medunsup.io.files.walk", True),
        ("medunsup.io.notes", False),
    ],
)
def test_what_becomes_of_what_was_given_is_said_and_what_a_record_holds_is_not(name, is_shown, capsys):
    with one_line_errors():
        logging.getLogger(name).warning("left out")
    assert ("medunsup: left out" in capsys.readouterr().err) == is_shown
    with one_line_errors(quiet=True):
        logging.getLogger(name).warning("left out")
    assert not capsys.readouterr().err
