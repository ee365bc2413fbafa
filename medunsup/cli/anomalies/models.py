"""`medunsup models`: which models are there, what they are, and whether they are whole."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import model_options, options
from medunsup.cli.shared.errors import FAILED
from medunsup.cli.shared.help import Command, Group
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.workflows.train.model_folder import ModelFolder

RUNS = Path("runs")

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="List, show or verify models.",
)

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="What `medunsup train` made, or the name of a bundled model.",
        show_default=False,
        autocompletion=model_options.shipped,
    ),
]


@app.command("list", cls=Command)
@verb()
def list_models(
    folder: Annotated[Path, typer.Argument(metavar="[FOLDER]", help="Holds model folders.")] = RUNS,
    as_json: options.AsJson = False,
) -> None:
    """List the bundled models, by name, and those in a folder."""
    from dataclasses import asdict

    from medunsup.core.paths import check_folder
    from medunsup.workflows.train.shipped import FOLDER
    from medunsup.workflows.train.verify import find_models

    if folder != RUNS:  # which need not be there yet
        check_folder(folder)
    shipped, _ = find_models(FOLDER)
    models, unreadable = find_models(folder)
    for text in unreadable:
        typer.echo(f"medunsup: {text}", err=True)
    if as_json:
        facts = [
            asdict(model.about) | {"folder": str(model.path), "comes_along": model.is_shipped}
            for model in (*shipped, *models)
        ]
        print_json({"models": facts})
        return
    for model in shipped:
        typer.echo(f"{model.path.name} (bundled): {_words(model)}")
    for model in models:
        typer.echo(f"{model.path}: {_words(model)}")
    if not models and not unreadable:
        default = ", the default folder" if folder == RUNS else ""
        typer.echo(f"{folder}{default}: holds no model.", err=True)


def _words(model: "ModelFolder") -> str:
    one = model.about
    return (
        f"{one.model} with {one.score}, {one.contrast}, "
        f"{one.n_train} scans, {one.n_calibration} for calibration"
    )


@app.command("show", cls=Command)
@verb()
def show_model(model: Model, as_json: options.AsJson = False) -> None:
    """Print a model's card."""
    from medunsup.workflows.train.model_folder import CARD, read_model

    opened = read_model(model)
    if as_json:
        print_json(opened.facts)
    else:
        typer.echo((opened.path / CARD).read_text(encoding="utf-8"))


@app.command("verify", cls=Command)
@verb()
def verify_model(model: Model, as_json: options.AsJson = False, debug: options.Debug = False) -> int:
    """Hash a model's files and compute a stored figure again; exit code 1 if anything differs."""
    from medunsup.workflows.train.verify import verify

    found = verify(model)
    if as_json:
        print_json({"sound": found.is_sound, "changed": found.changed, "figures": found.figures})
    else:
        for name in found.changed:
            typer.echo(f"changed: {name}")
        for name, (before, now) in found.figures.items():
            told = "not reproduced" if name in found.differing else "reproduced"
            typer.echo(f"Reference score {told} ({name}: {before:.6g} when trained, {now:.6g} now).")
        if found.is_sound:
            typer.echo(f"{model}: file hashes match: OK")
        else:
            typer.echo(f"{model}: NOT what was trained. Copy the folder again, or train again.")
    return 0 if found.is_sound else FAILED
