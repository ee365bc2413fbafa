"""`medunsup demo`: the main job on a brain that is already on this computer."""

from pathlib import Path
from typing import Annotated

import typer

from medunsup.cli import options
from medunsup.cli.console import display, one_line_errors
from medunsup.cli.printing import exit_code, print_result


def demo(
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="FOLDER", help="Folder for the scan and its results.")
    ] = Path("medunsup-demo"),
    force: options.Force = False,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
    debug: options.Debug = False,
) -> None:
    """Segment the MNI152 average brain; needs no network and no scan of yours."""
    with one_line_errors(debug=debug, as_json=as_json), display((), quiet) as shown:
        shown.step(Path("MNI152"), "starting")
        from medunsup.run.demo import run_demo

        result = run_demo(out, force=force, progress=shown.step, finished=shown.finished)
    print_result(result, as_json=as_json, quiet=quiet, debug=debug)
    if code := exit_code(result):
        raise typer.Exit(code)
    page = result.scans[0].outputs.get("report")
    if page and not quiet:
        typer.echo(f"Look at {page} in a browser.", err=True)
