"""`medunsup detect`: what a model of healthy scans does not explain in a scan."""

import typer

from medunsup.cli import _model_options, _options
from medunsup.cli._detect_printing import print_result
from medunsup.cli._progress import display
from medunsup.cli._settings import check_outputs
from medunsup.cli._verb import verb


@verb()
def detect(
    scans: _options.Scans,
    model: _model_options.ModelFolder = None,
    out: _options.Out = None,
    *,
    reading: _options.Reading,
    alpha: _model_options.Alpha = None,
    false_findings: _model_options.FalseFindings = 1.0,
    baselines: _model_options.WithBaselines = False,
    jobs: _options.Jobs = 1,
    force: _options.Force = False,
    telling: _options.Telling,
) -> int:
    """Find what a model of healthy scans does not explain.

    Writes the raw map, the mask, a table of findings and the healthy look, on the scan's own voxels.
    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.detect.cohort import make_requests, run_requests
    from medunsup.workflows.detect.scan import open_model

    opened = open_model(model)
    if model is None and not telling.quiet:
        typer.echo(f"No --model was given. {opened.introduction}", err=True)
    requests = make_requests(
        scans,
        opened,
        out,
        reading.mask,
        alpha=alpha,
        false_findings=false_findings,
        baselines=baselines,
        **reading.choices,
    )
    names = [request.scan.path for request in requests]
    check_outputs(names, out)
    with display(names, telling.quiet) as shown:
        result = run_requests(
            requests, opened, jobs=jobs, force=force, progress=shown.step, finished=shown.finished
        )
    return print_result(result, telling)
