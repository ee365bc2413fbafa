"""What `predict` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from typing import TYPE_CHECKING

from medunsup.cli.shared.options import Telling
from medunsup.cli.shared.printing import print_outcomes

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult
    from medunsup.workflows.predict.outcome import PredictOutcome

SHOWN = 4
UNCHECKED = "not checked by an expert"


def print_result(result: "CohortResult[PredictOutcome]", telling: Telling) -> int:
    """Print volumes or classes to stdout; flags, warnings and errors to stderr; return the exit code."""
    texts = {scan.scan: (*scan.flags, *scan.warnings) for scan in result.scans}
    return print_outcomes(result, _line, texts, telling)


def _line(scan: "PredictOutcome") -> str:
    again = " (done already)" if scan.status == "skipped" else ""
    verdict = f"unlike the training {'images' if scan.counts else 'scans'}" if scan.flags else UNCHECKED
    where = scan.outputs.get("predicted_report", scan.outputs.get("dseg", scan.outputs.get("sidecar")))
    return f"{_found(scan)}; {verdict}{again}  -> {where}"


def _found(scan: "PredictOutcome") -> str:
    """Say what was found: "AD 0.83, HC 0.17", "AD 12, HC 30 images" or "GM 610.3 ml"."""
    if scan.counts:
        return ", ".join(f"{name} {count}" for name, count in scan.counts.items()) + " images"
    if scan.probabilities:
        ordered = sorted(scan.probabilities.items(), key=lambda one: -one[1])
        return _few([f"{name} {share:.2f}" for name, share in ordered], "classes")
    return _few([f"{name} {volume:.1f} ml" for name, volume in scan.volumes_ml.items()], "labels")


def _few(texts: list[str], what: str) -> str:
    more = f", {len(texts) - SHOWN} more {what}" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
