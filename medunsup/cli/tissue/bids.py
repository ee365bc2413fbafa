"""`medunsup bids`: the BIDS App's way to call `segment` on a whole data set."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import executor_options, options, segmenting
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb

if TYPE_CHECKING:
    from medunsup.io.bids.filter import BidsFilter


class Level(StrEnum):
    """What a BIDS App works on."""

    participant = "participant"
    group = "group"


ParticipantLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--participant-label", "--participant_label", metavar="LABEL", help="Participants: 01 02 ..."
    ),
]
SessionLabel = Annotated[
    list[str] | None,
    typer.Option(
        "--session-label", "--session_label", metavar="LABEL", help="Only this session; may be repeated."
    ),
]
FilterFile = Annotated[
    Path | None,
    typer.Option(
        "--bids-filter-file",
        metavar="FILE",
        help='Which scans by the entities of their names, as in fMRIPrep: {"t1w": {"session": "02"}}.',
    ),
]
Contrast = Annotated[str, typer.Option(metavar="NAME", help="Which scans: T1w, T2w, FLAIR or PD.")]


@verb()
def bids(
    bids_dir: Annotated[Path, typer.Argument(help="BIDS data set.", show_default=False)],
    output_dir: Annotated[Path, typer.Argument(help="Folder for the results.", show_default=False)],
    level: Annotated[Level, typer.Argument(help="participant segments, group compares.")] = Level.participant,
    more_labels: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    participant_label: ParticipantLabel = None,
    session_label: SessionLabel = None,
    bids_filter_file: FilterFile = None,
    contrast: Contrast = "T1w",
    brain: options.BrainOfMany = None,
    *,
    how: options.Segmenting,
    running: options.Running,
    where: executor_options.Where,
    telling: options.Telling,
) -> int:
    """Segment a BIDS data set, or compare its results (BIDS App)."""
    from medunsup.cohort.dataset.bids import find_scans
    from medunsup.cohort.dataset.same_scan import magnitude_alone
    from medunsup.workflows.segment.cohort import make_requests

    if level == Level.group:
        return _compare(bids_dir, output_dir, as_json=telling.as_json)
    settings = segmenting.settings_of(how, brain=brain, contrast=contrast)
    labels = _labels(participant_label or [], more_labels or [], session_label or [])
    filters = _filters(session_label or [], bids_filter_file, settings.contrast)
    scans = magnitude_alone(find_scans(bids_dir, labels, settings.contrast, filters))
    return segmenting.run(make_requests(scans, settings, output_dir), running, where, telling)


def _compare(bids_dir: Path, output_dir: Path, *, as_json: bool) -> int:
    """Write table and page of all scans that are there."""
    from medunsup.core.errors import InputError
    from medunsup.core.paths import check_folder
    from medunsup.workflows.segment.group import write_table_and_page

    for folder in (bids_dir, output_dir):
        check_folder(folder)
    page = write_table_and_page(output_dir)
    if page is None:
        raise InputError(f"{output_dir}: holds fewer than two results. Run the participant level first.")
    typer.echo(f"All scans compared: {page}", err=True)
    if as_json:
        print_json({"exit_code": 0, "group_page": str(page)})
    return 0


def _labels(participants: list[str], more: list[str], sessions: list[str]) -> list[str]:
    """Join the labels of --participant-label 01 02: all but the first come as words of their own."""
    from medunsup.core.errors import UsageError

    if more and (sessions or not participants):
        raise UsageError(
            f"What {' '.join(more)} means is not clear: repeat the option before each label "
            "(--participant-label 01 --participant-label 02, and --session-label likewise)."
        )
    return [*participants, *more]


def _filters(sessions: list[str], file: Path | None, contrast: str) -> "list[BidsFilter]":
    from medunsup.io.bids.filter import read_filter, session_filter

    own = [session_filter(sessions)]
    return own if file is None else [*own, read_filter(file, contrast)]
