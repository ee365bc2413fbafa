"""What `detect` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from medunsup.cli.console import print_json
from medunsup.cli.printing import as_json_facts, print_end, print_error

if TYPE_CHECKING:
    from medunsup.run.batch import CohortResult
    from medunsup.run.detect_outcome import DetectOutcome

MOST_NAMED = 3


def print_result(result: "CohortResult[DetectOutcome]", *, as_json: bool, quiet: bool, debug: bool) -> None:
    """Print p-values and findings to stdout; flags, warnings and errors to stderr."""
    shared = shared_warnings(result.scans)
    for scan in result.scans:
        if scan.error is not None:
            print_error(scan, debug=debug)
            continue
        if not as_json and not quiet:
            typer.echo(_line(scan))
        if not quiet:
            own = [text for text in scan.warnings if text not in shared]
            for text in (*scan.flags, *own):
                typer.echo(f"  {scan.scan.name}: {text}", err=True)
    if not quiet:
        for text, who in shared.items():
            typer.echo(f"  {who}: {text}", err=True)
    if as_json:
        print_json(as_json_facts(result))
    elif not quiet:
        print_end(result)


def shared_warnings(scans: "Sequence[DetectOutcome]") -> dict[str, str]:
    """Find the warnings that several scans share, with the words for whose they are."""
    told: dict[str, list[str]] = {}
    for scan in scans:
        for text in dict.fromkeys(scan.warnings):
            told.setdefault(text, []).append(scan.scan.name)
    n_results = sum(scan.error is None for scan in scans)
    return {text: _whose(names, n_results) for text, names in told.items() if len(names) > 1}


def verdict(result: "DetectOutcome") -> str:
    """Say what the p-value means at the rate asked for."""
    if result.flags:
        return "not to be judged: the scan is unlike those the model knows"
    if result.is_anomalous is None:
        return "without a verdict"
    return f"{'unlike' if result.is_anomalous else 'within'} the healthy scans at {result.alpha:g}"


def _line(scan: "DetectOutcome") -> str:
    where = scan.outputs.get("anomaly_report", scan.outputs.get("anomaly"))
    again = " (done already)" if scan.status == "skipped" else ""
    n_found = len(scan.volumes_mm3)
    found = f"{n_found} finding{'s' if n_found != 1 else ''}, {sum(scan.volumes_mm3) / 1000:.1f} ml"
    whole = f"as a whole {verdict(scan)} (p {scan.p_value:.3g})"
    return f"{scan.scan.name}: {found}; {whole}{again}  -> {where}"


def _whose(names: Sequence[str], n_results: int) -> str:
    if len(names) == n_results:
        return f"all {n_results} scans"
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown
