"""`medunsup doctor`: whether everything is here that a segmentation needs."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared.errors import FAILED
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb

MARKS = {
    "ok": ("ok", typer.colors.GREEN),
    "advice": ("!!", typer.colors.YELLOW),
    "missing": ("XX", typer.colors.RED),
}


@verb()
def doctor(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder that results shall go to.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> int:
    """Check versions, cores, memory, codecs, template, disk and write access.

    Exit code 1 if something essential is missing.
    """
    from dataclasses import asdict

    from medunsup.workflows.doctor import examine

    findings = examine(out)
    if as_json:
        print_json({"checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark, colour = MARKS[finding.state]
            typer.secho(f"{mark:>3} ", fg=colour, nl=False)
            typer.echo(f"{finding.name}: {finding.found}")
            if finding.advice:
                typer.echo(f"      {finding.advice}")
    return FAILED if any(finding.state == "missing" for finding in findings) else 0
