"""What verbs that write DICOM share: the options, the check before a run, the writing after it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar

import typer

from medunsup.cli.shared.options import Telling, option
from medunsup.core.errors import MedunsupError, UsageError

if TYPE_CHECKING:
    from medunsup.cohort.batch import AnyOutcome, CohortResult
    from medunsup.cohort.dicom.reference import DicomForm
    from medunsup.cohort.request import ScanRequest

WithDicom = Annotated[
    bool, option("Output", "--dicom", help="Write DICOM files of the results as well, for a DICOM series.")
]
Reference = Annotated[
    Path | None,
    option("Output", "--reference", metavar="FOLDER", help="DICOM series that a NIfTI scan comes from."),
]
Binary = Annotated[
    bool, option("Output", "--binary", help="With --dicom: a BINARY segmentation for each tissue or finding.")
]


class Asked(Protocol):
    """A request of one scan, of any verb."""

    @property
    def scan(self) -> "ScanRequest":
        """The scan."""


AnyAsked = TypeVar("AnyAsked", bound=Asked)
WriteOne = Callable[[AnyAsked, Path | None, "DicomForm"], Mapping[str, Path]]


def check(requests: Sequence[Asked], dicom: bool, reference: Path | None, binary: bool) -> None:
    """Refuse what cannot have DICOM results before anything is computed."""
    from medunsup.cohort.dicom.reference import check_series

    if not dicom and (reference is not None or binary):
        raise UsageError("--reference and --binary say how DICOM files are written. Add --dicom.")
    if reference is not None and len(requests) > 1:
        raise UsageError(
            f"--reference {reference} is the series of one scan, but {len(requests)} scans are given. Give "
            "them one by one."
        )
    for request in requests if dicom else ():
        check_series(request.scan.path, reference)


def write(
    result: "CohortResult[AnyOutcome]",
    requests: Sequence[AnyAsked],
    write_one: WriteOne[AnyAsked],
    reference: Path | None,
    binary: bool,
    telling: Telling,
) -> "tuple[CohortResult[AnyOutcome], int]":
    """Write the DICOM files of each scan that has its result, and add them to its outputs.

    Returns the result, and 1 if the files of a scan cannot be written.
    """
    asked = {request.scan.path: request for request in requests}
    code, outcomes = 0, []
    for outcome in result.scans:
        made: Mapping[str, Path] = {}
        if outcome.status in ("done", "skipped"):  # else a result that is there may be of another scan
            try:
                made = write_one(asked[outcome.scan], reference, "binary" if binary else "labelmap")
            except MedunsupError as error:
                typer.echo(f"No DICOM files: {error}", err=True)
                code = 1
        if made and not telling.quiet:
            folder = next(iter(made.values())).parent.parent
            typer.echo(f"{len(made)} DICOM files in {folder}", err=True)
        outcomes.append(replace(outcome, outputs={**outcome.outputs, **made}))
    return replace(result, scans=tuple(outcomes)), code
