"""`medunsup detect`: what a model of healthy scans does not explain in a scan."""

import typer

from medunsup.cli import _model_options, _options
from medunsup.cli._console import display, one_line_errors
from medunsup.cli._detect_printing import print_result
from medunsup.cli._printing import exit_code
from medunsup.cli._settings import check_outputs


def detect(
    scans: _options.Scans,
    model: _model_options.ModelFolder = None,
    out: _options.Out = None,
    mask: _options.Mask = None,
    brain: _options.Brain = None,
    contrast: _options.Contrast = None,
    series: _options.Series = None,
    volume: _options.VolumeIndex = None,
    coordinates: _options.Coordinates = None,
    alpha: _model_options.Alpha = None,
    false_findings: _model_options.FalseFindings = 1.0,
    baselines: _model_options.WithBaselines = False,
    jobs: _options.Jobs = 1,
    force: _options.Force = False,
    quiet: _options.Quiet = False,
    as_json: _options.AsJson = False,
    debug: _options.Debug = False,
) -> None:
    """Find what a model of healthy scans does not explain.

    Writes the raw map, the mask, a table of findings and the healthy look, on the scan's own voxels.
    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    with one_line_errors(debug=debug, as_json=as_json, quiet=quiet):
        from medunsup.workflows.detect.cohort import make_requests, run_requests
        from medunsup.workflows.detect.scan import open_model

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
        check_outputs([request.scan.path for request in requests], out)
        with display([request.scan.path for request in requests], quiet) as shown:
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
