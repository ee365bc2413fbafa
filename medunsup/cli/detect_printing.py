"""What `detect` prints on stdout: one line a scan, or one JSON object."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

import medunsup
from medunsup.cli.console import FAILED

if TYPE_CHECKING:
    from medunsup.run.detect_many import DetectOutcome


def print_line(result: "DetectOutcome", *, quiet: bool, debug: bool) -> None:
    """Print one scan's p-value and findings to stdout, flags, warnings and errors to stderr."""
    if result.error is not None:
        typer.echo(f"medunsup: {result.error}", err=True)
        if debug and result.trace:
            typer.echo(result.trace, err=True)
        return
    if quiet:
        return
    where = result.outputs.get("anomaly_report", result.outputs.get("anomaly"))
    again = " (done already)" if result.status == "skipped" else ""
    n_found = len(result.volumes_mm3)
    found = f"{n_found} finding{'s' if n_found != 1 else ''}, {sum(result.volumes_mm3) / 1000:.1f} ml"
    whole = f"as a whole {verdict(result)} (p {result.p_value:.3g})"
    typer.echo(f"{result.scan.name}: {found}; {whole}{again}  -> {where}")
    for text in (*result.flags, *result.warnings):
        typer.echo(f"  {result.scan.name}: {text}", err=True)


def verdict(result: "DetectOutcome") -> str:
    """Say what the p-value means at the rate asked for."""
    if result.flags:
        return "not to be judged: the scan is unlike those the model knows"
    if result.is_anomalous is None:
        return "without a verdict"
    return f"{'unlike' if result.is_anomalous else 'within'} the healthy scans at {result.alpha:g}"


def as_json_facts(results: "Sequence[DetectOutcome]") -> dict[str, Any]:
    """Gather everything for --json."""
    return {
        "medunsup": medunsup.__version__,
        "exit_code": FAILED if any(result.error for result in results) else 0,
        "scans": [result.as_json() for result in results],
    }
