"""`medunsup send`: DICOM files to an archive."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medunsup.cli.shared import options
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb
from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.workflows.send.result import SendResult

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILES", help="DICOM files, or folders with such files in them.", show_default=False
    ),
]
To = Annotated[
    str | None, options.option("Archive", "--to", metavar="HOST:PORT", help="Send by C-STORE, unencrypted.")
]
Stow = Annotated[
    str | None, options.option("Archive", "--stow", metavar="URL", help="Send by DICOMweb (STOW-RS).")
]
Orthanc = Annotated[
    str | None,
    options.option(
        "Archive",
        "--orthanc",
        metavar="URL",
        help="Send by Orthanc's own interface, which takes every kind of object.",
    ),
]
Aet = Annotated[str, options.option("Archive", "--aet", metavar="TITLE", help="Our own AE title.")]
Called = Annotated[
    str, options.option("Archive", "--called", metavar="TITLE", help="The archive's AE title.")
]
Again = Annotated[bool, options.option("Run", "--force", help="Send what this archive took before as well.")]


@verb(kept="what the archive took is noted: the same command again sends the rest")
def send(
    files: Files,
    *,
    to: To = None,
    stow: Stow = None,
    orthanc: Orthanc = None,
    aet: Aet = "MEDUNSUP",
    called: Called = "ANY-SCP",
    force: Again = False,
    telling: options.Telling,
) -> int:
    """Send DICOM files to an archive: what it took, what it refused and why.

    A second run sends only what was not taken.
    Exit codes: 0 all taken, 1 some not, or no archive answers, 2 wrong use, 130 interrupted, 143 ended from
    outside.
    """
    from medunsup.workflows.send.send import send as send_files

    result = send_files(files, to=to, stow=stow, orthanc=orthanc, aet=aet, called=called, force=force)
    code = 1 if result.n_not_taken else 0
    if telling.as_json:
        told = [
            {"file": str(file.path), "kind": file.kind, "status": file.status, "why": file.why}
            for file in result.files
        ]
        print_json({"medunsup": __version__, "exit_code": code, "archive": result.archive, "files": told})
    else:
        _print_table(result, telling.quiet)
    return code


def _print_table(result: "SendResult", quiet: bool) -> None:
    """Print one line for files that fared alike; those not taken go to stderr, with the first file's name."""
    alike = Counter((file.status, file.kind, file.why, file.is_taken) for file in result.files)
    for (status, kind, why, is_taken), count in sorted(
        alike.items(), key=lambda item: item[0][3], reverse=True
    ):
        first = next(
            file.path for file in result.files if (file.status, file.kind, file.why) == (status, kind, why)
        )
        reason = f": {why}" if why else ""
        which = "" if is_taken else f" ({first}{' and others' if count > 1 else ''})"
        line = f"{status:<15}{count:>5}  {kind}{which}{reason}"
        if not (quiet and is_taken):
            typer.echo(line, err=not is_taken)
