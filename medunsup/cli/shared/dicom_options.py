"""What verbs that write DICOM share: the options, the check before a run, the writing after it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared.options import Telling, option
from medunsup.core.errors import UsageError

if TYPE_CHECKING:
    from medunsup.cohort.batch import AnyOutcome, CohortResult
    from medunsup.cohort.dicom.many import AnyAsked, WriteOne
    from medunsup.cohort.plan import Asked

WithDicom = Annotated[
    bool, option("Output", "--dicom", help="Write DICOM files of the results as well, for a DICOM series.")
]
Reference = Annotated[
    Path | None,
    option(
        "Output",
        "--reference",
        metavar="FOLDER",
        help="DICOM series that a NIfTI scan comes from; {folder}, {stem} and {id} are the scan's.",
    ),
]
Binary = Annotated[
    bool, option("Output", "--binary", help="With --dicom: a BINARY segmentation for each tissue or finding.")
]


def check(requests: "Sequence[Asked]", dicom: bool, reference: Path | None, binary: bool) -> None:
    """Refuse what cannot have DICOM results before anything is computed."""
    from medunsup.cohort.dicom.many import check_many

    if not dicom and (reference is not None or binary):
        raise UsageError("--reference and --binary say how DICOM files are written. Add --dicom.")
    check_many(requests, "labelmap" if dicom else None, reference)


def write(
    result: "CohortResult[AnyOutcome]",
    requests: "Sequence[AnyAsked]",
    write_one: "WriteOne[AnyAsked]",
    reference: Path | None,
    binary: bool,
    telling: Telling,
) -> "tuple[CohortResult[AnyOutcome], int]":
    """Write the DICOM files of each scan that has its result, and add them to its outputs.

    Returns the result, and 1 if the files of a scan cannot be written.
    """
    from medunsup.cohort.dicom.many import write_many

    written = write_many(result, requests, write_one, "binary" if binary else "labelmap", reference)
    code, outcomes = 0, []
    for before, after in zip(result.scans, written.scans, strict=True):
        if after.error != before.error:
            typer.echo(f"No DICOM files: {after.error}", err=True)
            code = 1
            outcomes.append(before)
            continue
        made = [file for kind, file in after.outputs.items() if kind not in before.outputs]
        if made and not telling.quiet:
            typer.echo(f"{len(made)} DICOM files in {made[0].parent.parent}", err=True)
        outcomes.append(after)
    return replace(result, scans=tuple(outcomes)), code
