"""What the commands print on stdout: one line a scan, or one JSON object."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from medunsup.cli.shared.errors import BAD_VERDICT, FAILED, WRONG_USE
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.options import Telling
from medunsup.core.paths import short_names
from medunsup.core.version import __version__

if TYPE_CHECKING:
    from medunsup.cohort.batch import AnyOutcome, CohortResult, Outcome
    from medunsup.cohort.rehearsal.forecast import Forecast
    from medunsup.workflows.segment.outcome import ScanOutcome

MOST_NAMED = 3
SEVERITY = ("check", "fail")
STATUS_WORDS = {
    "new": "to do",
    "done": "done already",
    "other": "to be replaced,",
    "missing": "will fail:",
    "error": "will fail:",
}


def print_result(
    result: "CohortResult[ScanOutcome]", telling: Telling, *, fail_on: str | None = None, least: int = 0
) -> int:
    """Print volumes and verdicts to stdout, warnings and errors to stderr; return the exit code."""
    texts = {scan.scan: (*scan.reasons, *scan.warnings) for scan in result.scans}
    return print_outcomes(result, _line, texts, telling, fail_on=fail_on, least=least)


def print_outcomes(
    result: "CohortResult[AnyOutcome]",
    line: "Callable[[AnyOutcome], str]",
    texts: Mapping[Path, Sequence[str]],
    telling: Telling,
    *,
    fail_on: str | None = None,
    least: int = 0,
) -> int:
    """Print each scan's line to stdout; to stderr its error or `texts`, those that several share once.

    Returns the exit code, which is `least` or more.
    """
    names = short_names([scan.scan for scan in result.scans])
    shared = shared_texts({names[scan.scan]: texts[scan.scan] for scan in result.scans if scan.error is None})
    for scan in result.scans:
        if scan.error is not None:
            print_error(scan, debug=telling.debug)
        elif not telling.quiet:
            if not telling.as_json:
                typer.echo(f"{names[scan.scan]}: {line(scan)}")
            for text in texts[scan.scan]:
                if text not in shared:
                    typer.echo(f"  {names[scan.scan]}: {text}", err=True)
    if not telling.quiet:
        for text, who in shared.items():
            typer.echo(f"  {who}: {text}", err=True)
    code = max(exit_code(result, fail_on), least)
    if telling.as_json:
        print_json(as_json_facts(result, code))
    elif not telling.quiet:
        print_end(result)
    return code


def shared_texts(texts: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Find what is said of several scans, with the words for which; `texts` are those of each by name."""
    told: dict[str, list[str]] = {}
    for name, of_scan in texts.items():
        for text in dict.fromkeys(of_scan):
            told.setdefault(text, []).append(name)
    return {text: _whose(names, len(texts)) for text, names in told.items() if len(names) > 1}


def print_error(scan: "Outcome", *, debug: bool) -> None:
    """Print why a scan failed to stderr, in one line; with `debug` the traceback as well."""
    typer.echo(f"medunsup: {scan.error}", err=True)
    if debug and scan.trace:
        typer.echo(scan.trace, err=True)


def print_end(result: "CohortResult[Any]") -> None:
    """Print how many of several scans are done to stderr, and where they are compared."""
    if len(result.scans) > 1:
        typer.echo(_count(result.scans), err=True)
    for text in result.warnings:
        typer.echo(text, err=True)
    if result.group_page and len(result.scans) > 1:
        typer.echo(f"All scans compared: {result.group_page}", err=True)


def exit_code(result: "CohortResult[Any]", fail_on: str | None = None) -> int:
    """0 if all scans have their result, 2 if each was asked for what it does not hold, else 1.

    3 if all have one, but with the verdict `fail_on`, or a worse one.
    """
    if result.n_failed:
        return WRONG_USE if all(scan.is_wrong_use for scan in result.scans) else FAILED
    if fail_on is None:
        return 0
    bad = SEVERITY[SEVERITY.index(fail_on) :]
    return BAD_VERDICT if any(scan.verdict in bad for scan in result.scans) else 0


def print_forecast(forecast: "Forecast", as_json: bool) -> int:
    """Print what a run would do; return the code it would end with, as far as its files tell."""
    facts = [
        {"scan": str(item.scan), "status": item.status, "why": item.why, "output": str(item.output)}
        for item in forecast.scans
    ]
    refused = [item for item in forecast.scans if item.is_refused]
    wrong = len(refused) == len(facts) and all(item.is_wrong_use for item in refused)
    code = 0 if not refused else WRONG_USE if wrong else FAILED
    if as_json:
        facts_of_script = {"script": forecast.script} if forecast.script else {}
        head = {"medunsup": __version__, "dry_run": True, "exit_code": code}
        print_json(head | {"scans": facts} | facts_of_script)
        return code
    for fact in facts:
        words = f"{STATUS_WORDS[fact['status']]} {fact['why']}".strip()
        typer.echo(f"{fact['scan']} -> {fact['output']}: {words}")
    if forecast.script:
        typer.echo(f"\n{forecast.script}", nl=False)
    counts = Counter(STATUS_WORDS[item.status].strip(":,") for item in forecast.scans)
    words = ", ".join(f"{n} {what}" for what, n in counts.items())
    typer.echo(f"{words}; nothing was written.", err=True)
    return code


def _line(scan: "ScanOutcome") -> str:
    volumes = "  ".join(f"{name} {volume:.1f} ml" for name, volume in scan.volumes_ml.items())
    again = " (done already)" if scan.status == "skipped" else ""
    where = scan.outputs.get("report", scan.outputs.get("dseg", Path()))
    return f"{scan.verdict}{again}  {volumes}  mask {scan.brain_mask_ml:.1f} ml  -> {where}"


def _count(scans: "Sequence[Outcome]") -> str:
    counts = Counter(scan.status for scan in scans)
    errors = f"{counts['error']} error{'s' if counts['error'] != 1 else ''}"
    words = f"{counts['done']} done, {counts['skipped']} skipped, {errors}"
    return f"{words}, {counts['not run']} not begun" if counts["not run"] else words


def as_json_facts(result: "CohortResult[Any]", code: int) -> dict[str, object]:
    """Gather everything for --json."""
    return {
        "medunsup": __version__,
        "exit_code": code,
        "scans": [scan.as_json() for scan in result.scans],
        "group_page": str(result.group_page) if result.group_page else None,
        "warnings": list(result.warnings),
    }


def _whose(names: Sequence[str], n_results: int) -> str:
    if len(names) == n_results:
        return f"all {n_results} scans"
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else shown
