"""`medunsup pretrain`: an encoder from scans or images without labels."""

from pathlib import Path
from typing import Annotated, Any

import typer

from medunsup.cli.shared import executor_options, model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import option, preset
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import read_pretraining
from medunsup.cli.shared.verb import verb

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"


def _methods() -> list[str]:
    """Complete METHOD."""
    from medunsup.core.registry import methods

    return [card.name for card in methods("selfsupervised")]


Method = Annotated[
    str | None,
    typer.Argument(
        metavar="[METHOD]",
        help="By default autoencoder; see `medunsup methods selfsupervised`.",
        autocompletion=_methods,
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        "--data",
        metavar="SOURCE",
        help="Scans: a folder, a BIDS data set, or a table (TSV); or images in a .npz file (train_images).",
    ),
]
Covariates = Annotated[
    str | None,
    option(
        "Method",
        "--covariates",
        metavar="COLUMNS",
        help="Columns of numbers that y_aware compares by, such as age,bmi.",
    ),
]
EncoderOut = Annotated[Path, typer.Option("-o", "--out", metavar="FOLDER", help="For the encoder.")]


@verb(kept=KEPT)
def pretrain(
    data: Data,
    out: EncoderOut,
    method: Method = None,
    *,
    mask: options.Mask = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    spacing: model_options.Spacing = None,
    covariates: Covariates = None,
    config: Annotated[str | None, preset("pretrain")] = None,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    resume: model_options.Resume = False,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    where: executor_options.Where,
    telling: options.Telling,
) -> None:
    """Pretrain an encoder on scans or images that nobody has labelled.

    Nobody needs to be healthy. It can be stopped at any moment and goes on with --resume.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    given: dict[str, Any] = {"method": method, "spacing_mm": spacing, "seed": seed}
    given |= {"contrast": contrast, "brain": brain, "coordinates": coordinates}
    if covariates is not None:
        given["covariates"] = tuple(name.strip() for name in covariates.split(","))
    with stages(telling.quiet) as told:
        settings = read_pretraining(config, given, set_ or [])
        from medunsup.cohort.encoders.folder import PAGE
        from medunsup.workflows.pretrain.pretrain import pretrain_encoder
        from medunsup.workflows.pretrain.request import PretrainRequest
        from medunsup.workflows.pretrain.summary import line, pretrained_facts, remarks

        executor = where.chosen(jobs)
        request = PretrainRequest(
            settings, data, out, mask, cache, resume=resume, force=force, executor=executor
        )
        made = pretrain_encoder(request, told)
    if telling.as_json:
        print_json(pretrained_facts(made))
    elif not telling.quiet:
        typer.echo(f"{made.path}: {line(made)}")
        if PAGE in made.manifest.sha256:
            typer.echo(f"  page: {made.path / PAGE}", err=True)
        typer.echo(f"  next, in Python: medunsup.Encoder.load({str(made.path)!r}).transform(X)", err=True)
    for remark in () if telling.quiet else remarks(made):
        typer.echo(f"  {remark}", err=True)
