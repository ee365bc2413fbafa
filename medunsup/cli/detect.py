"""`medunsup detect`: what a model of healthy scans does not explain in a scan."""

import typer

from medunsup.cli import detect_options, options
from medunsup.cli.choices import check_outputs
from medunsup.cli.console import display, one_line_errors
from medunsup.cli.detect_printing import print_result
from medunsup.cli.printing import exit_code


def detect(
    scans: options.Scans,
    model: detect_options.ModelFolder = None,
    out: options.Out = None,
    mask: options.Mask = None,
    brain: options.Brain = None,
    contrast: options.Contrast = None,
    series: options.Series = None,
    volume: options.VolumeIndex = None,
    coordinates: options.Coordinates = None,
    alpha: detect_options.Alpha = None,
    false_findings: detect_options.FalseFindings = 1.0,
    baselines: detect_options.WithBaselines = False,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Find what a model of healthy scans does not explain.

    Writes the raw map, the mask, a table of findings and the healthy look, on the scan's own voxels.
    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    with one_line_errors(debug=debug, as_json=as_json, quiet=quiet):
        from medunsup.run.detect import open_model
        from medunsup.run.detect_many import make_requests, run_requests

        opened = open_model(model)
        if model is None and not quiet:
            typer.echo(f"No --model was given. {opened.introduction}", err=True)
        requests = make_requests(
            scans,
            opened,
            out,
            mask,
            alpha=alpha,
            false_findings=false_findings,
            baselines=baselines,
            brain=brain,
            contrast=contrast,
            series=series,
            volume=volume,
            coordinates=coordinates,
        )
        check_outputs([request.scan.scan for request in requests], out)
        with display([request.scan.scan for request in requests], quiet) as shown:
            result = run_requests(
                requests,
                opened,
                jobs=jobs,
                force=force,
                progress=shown.step,
                finished=shown.finished,
            )
    print_result(result, as_json=as_json, quiet=quiet, debug=debug)
    if code := exit_code(result):
        raise typer.Exit(code)
