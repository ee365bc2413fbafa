"""Options that `cluster` and `reduce` share, declared once: a table of features, and a model made before."""

from typing import Annotated, Any

import typer

from medunsup.cli.shared.options import option

OF_TABLE = "Table of features (.parquet, .csv, .tsv), a row a scan"

Covariates = Annotated[
    str | None,
    option(
        "Input",
        "--covariates",
        metavar="NAMES",
        help="Columns of numbers that are no features, parted by commas; columns of words are none anyway.",
    ),
]
DropIncomplete = Annotated[
    bool, option("Input", "--drop-incomplete", help="Leave rows out in which a feature is missing.")
]
Stream = Annotated[
    bool, option("Input", "--stream", help="Read a table larger than memory (.parquet, .npy) in batches.")
]


def features(more: str = "") -> Any:
    """Declare the table, and what else may be given in its place."""
    return typer.Argument(metavar="FEATURES", help=f"{OF_TABLE}{more}.", show_default=False)


def out(what: str) -> Any:
    """Declare the folder for what is made."""
    return typer.Option("-o", "--out", metavar="FOLDER", help=f"For {what}.", show_default=False)


def method(area: str, default: str) -> Any:
    """Declare --method, one of an area of the registry."""

    def complete() -> list[str]:
        from medunsup.core.registry import methods

        return [card.name for card in methods(area)]

    help_ = f"By default {default}; see `medunsup methods {area}`."
    return option("Method", "--method", metavar="NAME", help=help_, autocompletion=complete)


def model(verb: str) -> Any:
    """Declare --model, a folder that the verb made before."""
    help_ = f"What {verb} made before: place the rows in it; its method and features are taken."
    return option("Method", "--model", metavar="FOLDER", help=help_)
