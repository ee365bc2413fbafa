"""What verbs that write DICOM share: the options, the check before a run, the writing after it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared.options import Telling, option
from medunsup.core.errors import MedunsupError, UsageError

if TYPE_CHECKING:
    from medunsup.workflows.segment.request import SegmentRequest

WithDicom = Annotated[
    bool, option("Output", "--dicom", help="Write DICOM files of the results as well, for a DICOM series.")
]
Reference = Annotated[
    Path | None,
    option("Output", "--reference", metavar="FOLDER", help="DICOM series that a NIfTI scan comes from."),
]
Binary = Annotated[
    bool, option("Output", "--binary", help="With --dicom: a BINARY segmentation for each tissue.")
]


def check(requests: "Sequence[SegmentRequest]", dicom: bool, reference: Path | None, binary: bool) -> None:
    """Refuse what cannot have DICOM results before anything is computed."""
    from medunsup.io.bids.names import IMAGE_ENDINGS

    if not dicom and (reference is not None or binary):
        raise UsageError("--reference and --binary say how DICOM files are written. Add --dicom.")
    if reference is not None and len(requests) > 1:
        raise UsageError(
            f"--reference {reference} is the series of one scan, but {len(requests)} scans are given. Give "
            "them one by one."
        )
    for path in [request.scan.path for request in requests] if dicom and reference is None else []:
        if path.name.lower().endswith((*IMAGE_ENDINGS, ".hdr", ".img")):
            raise UsageError(
                f"{path}: is no DICOM series, which DICOM results must refer to. Give the DICOM folder as "
                "the scan, or the series that it was converted from with --reference FOLDER."
            )


def write(
    requests: "Sequence[SegmentRequest]", reference: Path | None, binary: bool, telling: Telling
) -> int:
    """Write the DICOM files of each scan that has the result asked for; return 1 if one cannot be written."""
    from medunsup.workflows.segment.dicom.files import write_dicom
    from medunsup.workflows.segment.outputs import DICOM

    code = 0
    for request in requests:
        if request.status()[0] != "done":
            continue  # its error was told; a result that is there is of another scan, or of other choices
        try:
            made = write_dicom(request, reference, "binary" if binary else "labelmap")
        except MedunsupError as error:
            typer.echo(f"No DICOM files: {error}", err=True)
            code = 1
            continue
        if not telling.quiet:
            typer.echo(f"{len(made)} DICOM files in {request.names.path(DICOM)}", err=True)
    return code
