"""What every verb does alike, whatever it is about."""

import json
from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from medunsup.cli.shared import options
from medunsup.cli.shared.verb import verb
from medunsup.core.errors import UsageError
from medunsup.core.hints import option


@dataclass(frozen=True)
class Colours:
    """A group of options."""

    front: Annotated[str, typer.Option("--front")] = "black"
    back: Annotated[str | None, typer.Option("--back")] = None


def app_of(body, **how):
    app = typer.Typer()
    app.command()(verb(**how)(body))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_what_a_verb_returns_is_its_exit_code(returned, code):
    def work() -> int | None:
        return returned

    assert app_of(work)().exit_code == code


def test_options_of_a_group_come_as_one_value_and_the_others_as_they_are():
    got = {}

    def paint(name: str, *, colours: Colours, times: int = 1) -> None:
        got.update(name=name, colours=colours, times=times)

    run = app_of(paint)
    assert run("wall", "--back", "white", "--times", "2").exit_code == 0
    assert got == {"name": "wall", "colours": Colours("black", "white"), "times": 2}
    shown = run("--help").stdout
    assert shown.index("--front") < shown.index("--back") < shown.index("--times")
    assert run("wall", "--side", "left").exit_code == 2


def test_an_error_is_one_line_that_names_options_as_they_are_typed():
    def fail(telling: options.Telling) -> None:
        raise UsageError(f"Pass {option('force', True)}.")

    ended = app_of(fail)("--json", "--quiet")
    assert ended.exit_code == 2
    assert ended.stderr == "medunsup: Pass --force.\n"
    assert json.loads(ended.stdout) == {"error": "Pass --force.", "exit_code": 2}
    assert option("force", True) == "force=True"


def test_an_interrupted_verb_says_what_it_has_kept():
    def wait() -> None:
        raise KeyboardInterrupt

    ended = app_of(wait, kept="half of it is there")()
    assert ended.exit_code == 130
    assert ended.stderr == "medunsup: Interrupted; half of it is there.\n"
