"""What `detect` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from typing import TYPE_CHECKING

from medunsup.cli.printing import exit_code, print_outcomes
from medunsup.report.numbers import p_text

if TYPE_CHECKING:
    from medunsup.run.batch import CohortResult
    from medunsup.run.detect_outcome import DetectOutcome


def print_result(result: "CohortResult[DetectOutcome]", *, as_json: bool, quiet: bool, debug: bool) -> None:
    """Print p-values and findings to stdout; flags, warnings and errors to stderr."""
    texts = {scan.scan: (*scan.flags, *scan.warnings) for scan in result.scans}
    code = exit_code(result)
    print_outcomes(result, _line, texts, as_json=as_json, quiet=quiet, debug=debug, code=code)


def verdict(result: "DetectOutcome") -> str:
    """Say what the p-value means at the rate asked for."""
    if result.flags:
        return "no verdict, the scan is unlike those the model knows (out-of-distribution)"
    told = f"p = {p_text(result.p_value)}" if result.p_value is not None else ""
    if result.is_anomalous is None:
        return f"no verdict{f' ({told})' if told else ''}"
    return f"{'unusual' if result.is_anomalous else 'not unusual'} ({told}, alpha = {result.alpha:g})"


def _line(scan: "DetectOutcome") -> str:
    where = scan.outputs.get("anomaly_report", scan.outputs.get("anomaly"))
    again = " (done already)" if scan.status == "skipped" else ""
    n_found = len(scan.volumes_mm3)
    found = f"{n_found} finding{'s' if n_found != 1 else ''}, {sum(scan.volumes_mm3) / 1000:.1f} ml"
    return f"{found}; whole scan: {verdict(scan)}{again}  -> {where}"
