"""`medunsup train`: learn what healthy scans look like."""

import shlex

import typer

from medunsup.cli import detect_options, options
from medunsup.cli.console import one_line_errors, print_json
from medunsup.cli.learning import read_training, stages

KEPT = "prepared scans are kept, and the last checkpoint if there is one: go on with --resume"


def train(
    data: detect_options.Data,
    out: detect_options.ModelOut,
    model: detect_options.ModelName = None,
    healthy: detect_options.Healthy = None,
    mask: options.Mask = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    coordinates: options.Coordinates = None,
    score: detect_options.Score = None,
    spacing: detect_options.Spacing = None,
    config: detect_options.Config = None,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    resume: detect_options.Resume = False,
    card: detect_options.Card = None,
    cache: detect_options.Cache = None,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Learn from healthy scans what healthy looks like, and calibrate on some of them.

    A table has a column scan, and if known mask, subject, site, group, lesions and part. It can be stopped at
    any moment and goes on with --resume.

    Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    given = {"model": model, "score": score, "spacing_mm": spacing, "seed": seed}
    given |= {"contrast": contrast, "brain": brain, "coordinates": coordinates}
    ends = one_line_errors(debug=debug, as_json=as_json, quiet=quiet, kept=KEPT)
    with ends, stages(quiet) as told:
        settings = read_training(config, given, set_ or [])
        from medunsup.run.health import HealthyWords
        from medunsup.run.train import TrainRequest, train_model

        words = None if healthy is None else HealthyWords.parse(healthy)
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
            healthy=words,
        )
        made = train_model(request, told)
        from medunsup.run.trained import remarks, trained_facts

    if as_json:
        print_json(trained_facts(made))
    elif not quiet:
        typer.echo(f"{made.path}: {made.settings.model} with {made.settings.score}, {made.contrast}")
        typer.echo(f"  {made.standing}")
        following = ["medunsup", "detect", "SCAN", "--model", str(made.path)]
        typer.echo(f"  next: {shlex.join(following)}", err=True)
    for remark in () if quiet else remarks(made):
        typer.echo(f"  {remark}", err=True)
