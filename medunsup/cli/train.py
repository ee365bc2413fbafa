"""`medunsup train`: learn what healthy scans look like."""

import shlex

import typer

from medunsup.cli import _model_options, _options
from medunsup.cli._json import print_json
from medunsup.cli._progress import stages
from medunsup.cli._settings import read_training
from medunsup.cli._verb import verb

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"


@verb(kept=KEPT)
def train(
    data: _model_options.Data,
    out: _model_options.ModelOut,
    model: _model_options.ModelName = None,
    *,
    healthy: _model_options.Healthy = None,
    mask: _options.Mask = None,
    brain: _options.Brain = None,
    contrast: _options.Contrast = None,
    coordinates: _options.Coordinates = None,
    score: _model_options.Score = None,
    spacing: _model_options.Spacing = None,
    config: _model_options.Config = None,
    set_: _options.SetValue = None,
    seed: _options.Seed = None,
    resume: _model_options.Resume = False,
    card: _model_options.Card = None,
    cache: _model_options.Cache = None,
    jobs: _options.Jobs = 1,
    force: _options.Force = False,
    telling: _options.Telling,
) -> None:
    """Learn from healthy scans what healthy looks like, and calibrate on some of them.

    A table has a column scan, and if known mask, subject, site, group, lesions and part. It can be stopped at
    any moment and goes on with --resume.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    given = {"model": model, "score": score, "spacing_mm": spacing, "seed": seed}
    given |= {"contrast": contrast, "brain": brain, "coordinates": coordinates}
    with stages(telling.quiet) as told:
        settings = read_training(config, given, set_ or [])
        from medunsup.cohort.dataset.health import HealthyWords
        from medunsup.workflows.train.request import TrainRequest
        from medunsup.workflows.train.summary import remarks, trained_facts
        from medunsup.workflows.train.train import train_model

        request = TrainRequest(
            settings,
            data,
            out,
            mask,
            cache,
            card=card,
            jobs=jobs,
            resume=resume,
            force=force,
            healthy=None if healthy is None else HealthyWords.parse(healthy),
        )
        made = train_model(request, told)
    if telling.as_json:
        print_json(trained_facts(made))
    elif not telling.quiet:
        typer.echo(f"{made.path}: {made.settings.model} with {made.settings.score}, {made.contrast}")
        typer.echo(f"  {made.standing}")
        following = ["medunsup", "detect", "SCAN", "--model", str(made.path)]
        typer.echo(f"  next: {shlex.join(following)}", err=True)
    for remark in () if telling.quiet else remarks(made):
        typer.echo(f"  {remark}", err=True)
