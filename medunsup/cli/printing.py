"""What the commands print on stdout: one line a scan, or one JSON object."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import medunsup
from medunsup.cli.console import FAILED, WRONG_USE, print_json

if TYPE_CHECKING:
    from medunsup.run.batch import CohortResult, Outcome
    from medunsup.run.cohort import Planned
    from medunsup.run.summary import ScanOutcome

STATUS_WORDS = {"new": "to do", "done": "done already", "other": "to be replaced,", "missing": "will fail:"}


def print_result(result: "CohortResult[ScanOutcome]", *, as_json: bool, quiet: bool, debug: bool) -> None:
    """Print volumes and verdicts to stdout, warnings and errors to stderr."""
    for scan in result.scans:
        if not as_json and not quiet and scan.error is None:
            typer.echo(_line(scan))
        _complain(scan, quiet=quiet, debug=debug)
    if as_json:
        print_json(as_json_facts(result))
    elif not quiet:
        print_end(result)


def print_error(scan: "Outcome", *, debug: bool) -> None:
    """Print why a scan failed to stderr, in one line; with `debug` the traceback as well."""
    typer.echo(f"medunsup: {scan.error}", err=True)
    if debug and scan.trace:
        typer.echo(scan.trace, err=True)


def print_end(result: "CohortResult[Any]") -> None:
    """Print how many of several scans are done to stderr, and where they are compared."""
    if len(result.scans) > 1:
        typer.echo(_count(result.scans), err=True)
    if result.group_page and len(result.scans) > 1:
        typer.echo(f"All scans compared: {result.group_page}", err=True)


def exit_code(result: "CohortResult[Any]") -> int:
    """0 if all scans have their result, 2 if each was asked for what it does not hold, else 1."""
    if result.n_failed and all(scan.is_wrong_use for scan in result.scans):
        return WRONG_USE
    return FAILED if result.n_failed else 0


def print_plan(planned: Sequence["Planned"], as_json: bool) -> int:
    """Print what a run would do; return the code it would end with, as far as missing files tell."""
    facts = [
        {
            "scan": str(item.request.scan),
            "status": item.status,
            "why": item.why,
            "output": str(item.request.names.path("dseg")),
        }
        for item in planned
    ]
    code = FAILED if any(item.status == "missing" for item in planned) else 0
    if as_json:
        print_json({"medunsup": medunsup.__version__, "dry_run": True, "exit_code": code, "scans": facts})
    else:
        for fact in facts:
            words = f"{STATUS_WORDS[fact['status']]} {fact['why']}".strip()
            typer.echo(f"{fact['scan']} -> {fact['output']}: {words}")
    return code


def _line(scan: "ScanOutcome") -> str:
    volumes = "  ".join(f"{name} {volume:.1f} ml" for name, volume in scan.volumes_ml.items())
    again = " (done already)" if scan.status == "skipped" else ""
    where = scan.outputs.get("report", scan.outputs.get("dseg", Path()))
    return f"{scan.scan.name}: {scan.verdict}{again}  {volumes}  mask {scan.brain_mask_ml:.1f} ml  -> {where}"


def _complain(scan: "ScanOutcome", *, quiet: bool, debug: bool) -> None:
    if scan.error is not None:
        print_error(scan, debug=debug)
    elif not quiet:
        for warning in (*scan.reasons, *scan.warnings):
            typer.echo(f"  {scan.scan.name}: {warning}", err=True)


def _count(scans: "Sequence[Outcome]") -> str:
    counts = {
        status: sum(scan.status == status for scan in scans) for status in ("done", "skipped", "failed")
    }
    not_run = sum(scan.status == "not run" for scan in scans)
    words = f"{counts['done']} done, {counts['skipped']} skipped, {counts['failed']} failed"
    return f"{words}, {not_run} not begun" if not_run else words


def as_json_facts(result: "CohortResult[Any]") -> dict[str, object]:
    """Gather everything for --json."""
    return {
        "medunsup": medunsup.__version__,
        "exit_code": exit_code(result),
        "scans": [scan.as_json() for scan in result.scans],
        "group_page": str(result.group_page) if result.group_page else None,
    }
