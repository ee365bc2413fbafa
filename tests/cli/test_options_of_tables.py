"""Options that `cluster` and `reduce` have alike are described alike."""

import typer

from medunsup.cli.main import app

ALIKE = ("model", "covariates", "drop_incomplete", "stream", "set_", "seed", "force")


def test_what_both_verbs_have_is_said_in_the_same_words():
    commands = typer.main.get_command(app)
    context = typer.Context(commands)
    helps = {}
    for verb in ("cluster", "reduce"):
        found = commands.get_command(context, verb)
        helps[verb] = {
            one.name: (one.help or "").replace(verb, "VERB") for one in found.params if hasattr(one, "help")
        }
    both = helps["cluster"].keys() & helps["reduce"].keys()
    assert set(ALIKE) <= both
    for name in both - {"out", "method", "features"}:
        assert helps["cluster"][name] == helps["reduce"][name], name
    assert helps["cluster"]["features"].startswith(helps["reduce"]["features"].rstrip("."))
