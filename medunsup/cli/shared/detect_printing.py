"""What `detect` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from typing import TYPE_CHECKING

from medunsup.cli.shared.options import Telling
from medunsup.cli.shared.printing import print_outcomes
from medunsup.report.base.numbers import p_text

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult
    from medunsup.workflows.detect.outcome import DetectOutcome


def print_result(result: "CohortResult[DetectOutcome]", telling: Telling, *, least: int = 0) -> int:
    """Print p-values and findings to stdout; flags, warnings and errors to stderr; return the exit code."""
    texts = {scan.scan: (*scan.flags, *scan.warnings) for scan in result.scans}
    return print_outcomes(result, _line, texts, telling, least=least)


def _line(scan: "DetectOutcome") -> str:
    where = scan.outputs.get("anomaly_report", scan.outputs.get("anomaly"))
    again = " (done already)" if scan.status == "skipped" else ""
    return f"{_found(scan.volumes_mm3)}whole scan: {scan.verdict}{_numbers(scan)}{again}  -> {where}"


def _found(volumes_mm3: tuple[float, ...] | None) -> str:
    """Count the findings where they mean something."""
    if volumes_mm3 is None:
        return ""
    n_found = len(volumes_mm3)
    return f"{n_found} finding{'s' if n_found != 1 else ''}, {sum(volumes_mm3) / 1000:.1f} ml; "


def _numbers(scan: "DetectOutcome") -> str:
    """Give the p-value where it means something, and the rate that the verdict keeps; else the reason."""
    if scan.verdict == "OOD":
        return " (out of distribution: unlike the scans that the model knows)"
    if scan.verdict == "in the training set" or scan.p_value is None:
        return ""
    alpha = f", alpha = {scan.alpha:g}" if scan.verdict != "no verdict" else ""
    return f" (p = {p_text(scan.p_value)}{alpha})"
