"""`medunsup segment`: from scans to tissue volumes, maps and a report."""

import typer

from medunsup.cli import _options
from medunsup.cli._console import display, one_line_errors
from medunsup.cli._printing import exit_code, print_plan, print_result
from medunsup.cli._settings import check_outputs, pairs, read_settings


def segment(
    scans: _options.Scans,
    out: _options.Out = None,
    mask: _options.Mask = None,
    brain: _options.Brain = None,
    with_: _options.With = None,
    contrast: _options.Contrast = None,
    series: _options.Series = None,
    volume: _options.VolumeIndex = None,
    coordinates: _options.Coordinates = None,
    tissues: _options.Tissues = None,
    method: _options.Method = None,
    config: _options.Config = None,
    set_: _options.SetValue = None,
    seed: _options.Seed = None,
    learn_prior: _options.LearnPrior = False,
    jobs: _options.Jobs = 1,
    force: _options.Force = False,
    no_report: _options.NoReport = False,
    fail_on: _options.FailOn = None,
    dry_run: _options.DryRun = False,
    quiet: _options.Quiet = False,
    as_json: _options.AsJson = False,
    debug: _options.Debug = False,
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
        from medunsup.workflows.segment.cohort import make_requests, plan, run_requests
        from medunsup.workflows.segment.rehearse import rehearsed

        settings = read_settings(config, given, set_ or [])
        requests = make_requests(scans, settings, out, mask, pairs(with_ or [], "--with"))
        check_outputs([request.scan.path for request in requests], out)
        if dry_run:
            raise typer.Exit(print_plan(rehearsed(plan(requests, force=force), force=force), as_json))
        with display([request.scan.path for request in requests], quiet) as shown:
            shown.step(requests[0].scan.path, "starting")
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
