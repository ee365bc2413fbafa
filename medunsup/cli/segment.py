"""`medunsup segment`: from scans to tissue volumes, maps and a report."""

import typer

from medunsup.cli import options
from medunsup.cli.choices import check_outputs, pairs, read_settings
from medunsup.cli.console import display, one_line_errors
from medunsup.cli.printing import exit_code, print_plan, print_result


def segment(
    scans: options.Scans,
    out: options.Out = None,
    mask: options.Mask = None,
    brain: options.Brain = None,
    with_: options.With = None,
    contrast: options.Contrast = None,
    series: options.Series = None,
    volume: options.VolumeIndex = None,
    coordinates: options.Coordinates = None,
    tissues: options.Tissues = None,
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
    """Segment brain scans into grey matter, white matter and CSF, and measure them.

    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 3 a verdict that --fail-on names,
    130 interrupted, 143 ended from outside.
    """
    given = {
        "method": method,
        "tissues": tissues,
        "contrast": contrast,
        "seed": seed,
        "learn_prior": learn_prior or None,
    }
    given |= {"volume": volume, "series": series, "coordinates": coordinates, "brain": brain}
    with one_line_errors(debug=debug, as_json=as_json, quiet=quiet):
        from medunsup.run.cohort import make_requests, plan, run_requests
        from medunsup.run.rehearse import rehearsed

        settings = read_settings(config, given, set_ or [])
        requests = make_requests(scans, settings, out, mask, pairs(with_ or [], "--with"))
        check_outputs([request.scan for request in requests], out)
        if dry_run:
            raise typer.Exit(print_plan(rehearsed(plan(requests, force=force), force=force), as_json))
        with display([request.scan for request in requests], quiet) as shown:
            shown.step(requests[0].scan, "starting")
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
