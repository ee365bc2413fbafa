"""How errors end a command, and what of the log is shown."""

import json
import logging
import re
import warnings
from pathlib import Path

import pytest
import typer

from medunsup.cli.shared.errors import one_line_errors
from medunsup.cli.shared.progress import Moving
from medunsup.core import notice
from medunsup.core.errors import InputError, UsageError
from medunsup.training.signals import StoppedError


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


def test_logged_errors_are_seen_and_what_a_record_holds_only_when_debugging(capsys):
    log = logging.getLogger("medunsup.any.layer")
    for debug in (False, True):
        with one_line_errors(debug=debug):
            notice.warn_of_record(log, "a detail of %s", "a scan")
            log.info("a detail of the work")
            log.error("the page is missing")
        told = capsys.readouterr().err
        assert "medunsup: the page is missing" in told
        assert ("a detail of a scan" in told) == debug
        assert ("a detail of the work" in told) == debug


def test_what_is_logged_while_a_bar_moves_stands_on_a_line_of_its_own(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    with one_line_errors(), Moving([Path("a.nii")]) as shown:
        shown.step(Path("a.nii"), "load")
        shown.progress.refresh()
        logging.getLogger("medunsup.workflows.train.train").warning("out: begins anew.")
    drawn = re.split(r"[\r\n]|\x1b\[\d*K", capsys.readouterr().err)
    assert "medunsup: out: begins anew." in drawn


@pytest.mark.parametrize("name", ["medunsup.workflows.x", "medunsup.core.x", "medunsup"])
def test_a_warning_of_any_part_and_news_are_read_unless_nothing_is_to_be_said(name, capsys):
    log = logging.getLogger(name)

    def said(**how):
        with one_line_errors(**how):
            log.warning("left out")
            notice.tell(log, "it goes to %s", "out")
        return capsys.readouterr().err.splitlines()

    assert said() == ["medunsup: left out", "medunsup: it goes to out"]
    assert said(quiet=True) == []


def test_warnings_of_other_packages_are_not_ours_to_show(capsys):
    with one_line_errors():
        warnings.warn("a function is old", DeprecationWarning, stacklevel=1)
        logging.getLogger("medunsupervised").warning("no package of ours")
    assert not capsys.readouterr().err


def test_python_reads_warnings_of_a_record_and_no_news(caplog):
    log = logging.getLogger("medunsup.any")
    notice.warn_of_record(log, "a detail")
    notice.tell(log, "it goes there")
    assert caplog.messages == ["a detail"]
