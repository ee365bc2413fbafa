"""`medunsup bids`: the BIDS App's way to call `segment` on a whole data set."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli import options
from medunsup.cli.choices import read_settings
from medunsup.cli.console import display, one_line_errors
from medunsup.cli.printing import exit_code, print_plan, print_result


class Level(StrEnum):
    """What a BIDS App works on."""

    participant = "participant"
    group = "group"


def bids(
    bids_dir: Annotated[Path, typer.Argument(help="BIDS data set.", show_default=False)],
    output_dir: Annotated[Path, typer.Argument(help="Folder for the results.", show_default=False)],
    level: Annotated[Level, typer.Argument(help="participant segments, group compares.")] = Level.participant,
    more_labels: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    participant_label: Annotated[
        list[str] | None,
        typer.Option(
            "--participant-label", "--participant_label", metavar="LABEL", help="Participants: 01 02 ..."
        ),
    ] = None,
    session_label: Annotated[
        list[str] | None,
        typer.Option(
            "--session-label",
            "--session_label",
            metavar="LABEL",
            help="Only this session; may be repeated.",
        ),
    ] = None,
    bids_filter_file: Annotated[
        Path | None,
        typer.Option(
            "--bids-filter-file",
            metavar="FILE",
            help='Which scans by the entities of their names, as in fMRIPrep: {"t1w": {"session": "02"}}.',
        ),
    ] = None,
    contrast: Annotated[
        str, typer.Option(metavar="NAME", help="Which scans: T1w, T2w, FLAIR or PD.")
    ] = "T1w",
    brain: options.BrainOfMany = None,
    method: options.Method = None,
    config: options.Config = None,
    set_: options.SetValue = None,
    seed: options.Seed = None,
    learn_prior: options.LearnPrior = False,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    no_report: options.NoReport = False,
    fail_on: options.FailOn = None,
    dry_run: options.DryRun = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Segment a BIDS data set, or compare its results (BIDS App)."""
    given = {
        "method": method,
        "seed": seed,
        "brain": brain,
        "contrast": contrast,
        "learn_prior": learn_prior or None,
    }
    with one_line_errors(debug=debug, as_json=as_json, quiet=quiet):
        from medunsup.core.errors import InputError, UsageError
        from medunsup.io.bids_filter import read_filter, session_filter
        from medunsup.run.bids_app import find_scans
        from medunsup.run.cohort import make_requests, plan, run_requests
        from medunsup.run.group import write_group
        from medunsup.run.rehearse import rehearsed
        from medunsup.run.same_scan import magnitude_alone

        if level == Level.group:
            page = write_group(output_dir)
            if page is None:
                raise InputError(
                    f"{output_dir}: holds fewer than two results. Run the participant level first."
                )
            typer.echo(f"All scans compared: {page}", err=True)
            return
        settings = read_settings(config, given, set_ or [])
        if more_labels and (session_label or not participant_label):
            raise UsageError(
                f"What {' '.join(more_labels)} means is not clear: repeat the option before each label "
                "(--participant-label 01 --participant-label 02, and --session-label likewise)."
            )
        labels = [*(participant_label or []), *(more_labels or [])]
        filters = [session_filter(session_label or [])]
        if bids_filter_file:
            filters.append(read_filter(bids_filter_file, settings.contrast))
        scans = magnitude_alone(find_scans(bids_dir, labels, settings.contrast, filters))
        requests = make_requests(scans, settings, output_dir)
        if dry_run:
            raise typer.Exit(print_plan(rehearsed(plan(requests, force=force), force=force), as_json))
        with display([request.scan for request in requests], quiet) as shown:
            result = run_requests(
                requests,
                jobs=jobs,
                force=force,
                report=not no_report,
                progress=shown.step,
                finished=shown.finished,
                first_pass=shown.first_pass,
            )
    print_result(result, as_json=as_json, quiet=quiet, debug=debug, fail_on=fail_on)
    if code := exit_code(result, fail_on):
        raise typer.Exit(code)
