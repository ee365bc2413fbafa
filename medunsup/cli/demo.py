"""`medunsup demo`: the main jobs on a brain that is already on this computer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medunsup.cli import _detect_printing, _options, _printing
from medunsup.cli._console import Silent, display, one_line_errors

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult


class Job(StrEnum):
    """What the demo shows."""

    SEGMENT = "segment"
    DETECT = "detect"


def demo(
    job: Annotated[Job, typer.Argument(metavar="[JOB]", help="segment or detect.")] = Job.SEGMENT,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the scan and its results.")
    ] = Path("medunsup-demo"),
    force: _options.Force = False,
    quiet: _options.Quiet = False,
    as_json: _options.AsJson = False,
    debug: _options.Debug = False,
) -> None:
    """Segment the MNI152 average brain, or find a synthetic lesion in it.

    Needs no network and no scan of yours.
    """
    with one_line_errors(debug=debug, as_json=as_json), display((), quiet) as shown:
        shown.step(Path("MNI152"), "starting")
        result, said = (_detect if job is Job.DETECT else _segment)(out, force, shown)
    show: Any = (_detect_printing if job is Job.DETECT else _printing).print_result
    show(result, as_json=as_json, quiet=quiet, debug=debug)
    if code := _printing.exit_code(result):
        raise typer.Exit(code)
    outputs = result.scans[0].outputs
    page = outputs.get("report") or outputs.get("anomaly_report")
    for text in () if quiet else (said, page and f"Look at {page} in a browser."):
        if text:
            typer.echo(text, err=True)


def _segment(out: Path, force: bool, shown: Silent) -> "tuple[CohortResult[Any], str]":
    from medunsup.workflows.demo import run_demo

    return run_demo(out, force=force, progress=shown.step, finished=shown.finished), ""


def _detect(out: Path, force: bool, shown: Silent) -> "tuple[CohortResult[Any], str]":
    from medunsup.workflows.demo_detect import run_detect_demo

    made = run_detect_demo(out, force=force, progress=shown.step, finished=shown.finished)
    return made.result, made.words
