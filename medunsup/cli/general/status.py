"""`medunsup status`: how far the runs of a folder are, and the command that goes on."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.verb import verb

SHOWN = 20
OPEN = ("running", "failed", "waiting")


@verb()
def status(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where results go.", show_default=False)],
    every: Annotated[
        bool, typer.Option("--all", help=f"Name every scan, not the first {SHOWN} of each kind.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> int:
    """Tell which scans are done, running, failed or waiting, why, and the command that goes on.

    Works while a run is at work, here or on a cluster, and after one was ended.
    """
    from medunsup.workflows.status.status import remedy
    from medunsup.workflows.status.status import status as status_of

    found = status_of(folder)
    if as_json:
        print_json({"exit_code": 0} | found.as_json())
        return 0
    typer.echo(", ".join(f"{n} {state}" for state, n in found.counts.items()))
    for state in OPEN:
        named = [scan for scan in found.scans if scan.status == state]
        for scan in named if every else named[:SHOWN]:
            why = scan.why.removeprefix(f"{scan.scan}: ")
            typer.echo(f"  {state}  {scan.scan}{': ' * bool(why)}{why}")
        if len(named) > SHOWN and not every:
            typer.echo(f"  {state}  and {len(named) - SHOWN} more (--all names them)")
    if not found.scans:
        typer.echo(remedy(), err=True)
    for note in found.notes:
        typer.echo(note, err=True)
    if found.commands:
        is_at_work = found.counts["running"] > 0
        typer.echo("Once that has ended, to go on:" if is_at_work else "To go on:", err=True)
    for command in found.commands:
        typer.echo(command)
    return 0
