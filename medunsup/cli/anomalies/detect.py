"""`medunsup detect`: what a model of healthy scans does not explain in a scan."""

import typer

from medunsup.cli.shared import dicom_options, executor_options, model_options, options
from medunsup.cli.shared.detect_printing import print_result
from medunsup.cli.shared.printing import print_forecast
from medunsup.cli.shared.progress import display
from medunsup.cli.shared.settings import check_outputs
from medunsup.cli.shared.verb import verb


@verb()
def detect(
    scans: options.Scans,
    model: model_options.ModelFolder = None,
    out: options.Out = None,
    *,
    reading: options.Reading,
    alpha: model_options.Alpha = None,
    fp_per_scan: model_options.FPPerScan = 1.0,
    baselines: model_options.WithBaselines = False,
    jobs: options.Jobs = 1,
    force: options.Force = False,
    dry_run: options.DryRun = False,
    where: executor_options.Where,
    telling: options.Telling,
    dicom: dicom_options.WithDicom = False,
    reference: dicom_options.Reference = None,
    binary: dicom_options.Binary = False,
) -> int:
    """Find what a model of healthy scans does not explain.

    Writes the raw map, the mask, a table of findings and the pseudo-healthy reconstruction, in native space.
    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.detect.cohort import foresee, make_requests, run_requests
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
        fp_per_scan=fp_per_scan,
        baselines=baselines,
        **reading.choices,
    )
    names = [request.scan.path for request in requests]
    check_outputs(names, out)
    dicom_options.check(requests, dicom, reference, binary)
    executor = where.chosen(jobs)
    if dry_run:
        return print_forecast(foresee(requests, executor, force=force), telling.as_json)
    with display(names, telling.quiet) as shown:
        result = run_requests(
            requests,
            opened,
            executor=executor,
            force=force,
            progress=shown.step,
            finished=shown.finished,
        )
    least = 0
    if dicom:
        from medunsup.workflows.detect.dicom.files import write_dicom

        result, least = dicom_options.write(result, requests, write_dicom, reference, binary, telling)
    return print_result(result, telling, least=least)
