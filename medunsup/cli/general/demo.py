"""`medunsup demo`: the main jobs on a brain that is already on this computer."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from medunsup.cli.shared import detect_printing, options, printing
from medunsup.cli.shared.progress import Silent, display
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult


class Job(StrEnum):
    """What the demo shows."""

    SEGMENT = "segment"
    DETECT = "detect"


@verb()
def demo(
    job: Annotated[Job, typer.Argument(metavar="[JOB]", help="segment or detect.")] = Job.SEGMENT,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the scan and its results.")
    ] = Path("medunsup-demo"),
    *,
    force: options.Force = False,
    telling: options.Telling,
) -> int:
    """Segment the MNI152 average brain, or find a synthetic lesion in it.

    Needs no network and no scan of yours.
    """
    with display((), telling.quiet) as shown:
        shown.step(Path("MNI152"), "starting")
        result, said = (_detect if job is Job.DETECT else _segment)(out, force, shown)
    show: Any = (detect_printing if job is Job.DETECT else printing).print_result
    code: int = show(result, telling)
    if not code and not telling.quiet:
        outputs = result.scans[0].outputs
        page = outputs.get("report") or outputs.get("anomaly_report")
        for text in filter(None, (said, page and f"Look at {page} in a browser.")):
            typer.echo(text, err=True)
    return code


def _segment(out: Path, force: bool, shown: Silent) -> "tuple[CohortResult[Any], str]":
    from medunsup.workflows.demo import run_demo

    return run_demo(out, force=force, progress=shown.step, finished=shown.finished), ""


def _detect(out: Path, force: bool, shown: Silent) -> "tuple[CohortResult[Any], str]":
    from medunsup.workflows.demo_detect import run_detect_demo

    made = run_detect_demo(out, force=force, progress=shown.step, finished=shown.finished)
    return made.result, made.words
