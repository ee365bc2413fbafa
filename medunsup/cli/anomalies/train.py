"""`medunsup train`: learn what healthy scans look like."""

import shlex

import typer

from medunsup.cli.shared import executor_options, model_options, options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.progress import stages
from medunsup.cli.shared.settings import read_training
from medunsup.cli.shared.verb import verb

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"


@verb(kept=KEPT)
def train(
    data: model_options.Data,
    out: model_options.ModelOut,
    model: model_options.ModelName = None,
    *,
    healthy: model_options.Healthy = None,
    mask: options.Mask = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    score: model_options.Score = None,
    spacing: model_options.Spacing = None,
    config: model_options.Config = None,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    resume: model_options.Resume = False,
    card: model_options.Card = None,
    encoder: model_options.Encoder = None,
    cache: model_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    where: executor_options.Where,
    telling: options.Telling,
) -> None:
    """Learn from healthy scans what healthy looks like, and calibrate on some of them.

    A table has a column scan, and if known mask, subject, site, group, lesions and split. It can be ended at
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
            executor=where.chosen(jobs),
            resume=resume,
            force=force,
            healthy=None if healthy is None else HealthyWords.parse(healthy),
            encoder=encoder,
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
