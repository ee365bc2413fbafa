"""The options that `train`, `detect` and `evaluate` share, beside those of `segment`."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared.options import option, preset


def _models() -> list[str]:
    """Complete MODEL."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("anomaly")]


def _scores() -> list[str]:
    """Complete --score."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("score")]


def shipped() -> list[str]:
    """Complete --model."""
    from medunsup.workflows.train.shipped import shipped_models

    return list(shipped_models())


ModelName = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]", help="By default dae; see `medunsup methods anomaly`.", autocompletion=_models
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="SOURCE", help="Healthy scans: a folder, a BIDS data set, or a table (TSV)."
    ),
]
Healthy = Annotated[
    str | None,
    option(
        "Input",
        "--healthy",
        metavar="COLUMN=WORDS",
        help="Which words of a table mean healthy, where they are not known: diagnosis=HC,sibling.",
    ),
]
ModelOut = Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="For the model.")]
ModelFolder = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="FOLDER",
        help="What `medunsup train` made, or the name of a bundled model (`medunsup models list`); "
        "without it one of those for T1w is taken.",
        autocompletion=shipped,
    ),
]
Config = Annotated[str | None, preset("detect")]
Score = Annotated[
    str | None,
    option(
        "Method",
        "--score",
        metavar="NAME",
        help="By default zscore, or deviation for a model that cannot rebuild; see `medunsup methods score`.",
        autocompletion=_scores,
    ),
]
Spacing = Annotated[
    float | None,
    option("Method", "--spacing", metavar="MM", help="Of the grid the model lives on; by default 2."),
]
Resume = Annotated[bool, option("Run", "--resume", help="Go on with a training that was stopped.")]
Cache = Annotated[
    Path | None,
    option("Run", metavar="FOLDER", help="For prepared scans, used again; by default 'prepared' beside -o."),
]
Card = Annotated[
    Path | None,
    option("Input", metavar="FILE", help="Data card (Markdown) of the scans, kept beside the model."),
]
Encoder = Annotated[
    Path | None,
    option(
        "Method",
        "--encoder",
        metavar="FOLDER",
        help="What `medunsup pretrain` made; feature_ae learns from its features.",
    ),
]
Alpha = Annotated[
    float | None,
    option(
        "Method",
        "--alpha",
        metavar="RATE",
        help="False-positive rate of the verdict on a whole scan; 0.05 if the calibration can support it.",
    ),
]
FPPerScan = Annotated[
    float,
    option(
        "Method",
        "--fp-per-scan",
        metavar="NUMBER",
        help="How many findings a healthy scan may show in the mask, on average.",
    ),
]
WithBaselines = Annotated[
    bool, option("Method", "--baselines", help="Apply the baselines to the scan as well.")
]
