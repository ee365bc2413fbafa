"""What `detect` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from typing import TYPE_CHECKING

from medunsup.cli.printing import exit_code, print_outcomes

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
        return "not to be judged: the scan is unlike those the model knows"
    if result.is_anomalous is None:
        return "without a verdict"
    return f"{'unlike' if result.is_anomalous else 'within'} the healthy scans at {result.alpha:g}"


def _line(scan: "DetectOutcome") -> str:
    where = scan.outputs.get("anomaly_report", scan.outputs.get("anomaly"))
    again = " (done already)" if scan.status == "skipped" else ""
    n_found = len(scan.volumes_mm3)
    found = f"{n_found} finding{'s' if n_found != 1 else ''}, {sum(scan.volumes_mm3) / 1000:.1f} ml"
    p_value = "" if scan.flags else f" (p {scan.p_value:.3g})"
    whole = f"as a whole {verdict(scan)}{p_value}"
    return f"{found}; {whole}{again}  -> {where}"
