"""What `predict` prints: one line a scan on stdout, or one JSON object; remarks on stderr, each once."""

from typing import TYPE_CHECKING

from medunsup.cli.shared.options import Telling
from medunsup.cli.shared.printing import print_outcomes

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult
    from medunsup.workflows.predict.outcome import PredictOutcome

SHOWN = 4


def print_result(result: "CohortResult[PredictOutcome]", telling: Telling) -> int:
    """Print volumes to stdout; flags, warnings and errors to stderr; return the exit code."""
    texts = {scan.scan: (*scan.flags, *scan.warnings) for scan in result.scans}
    return print_outcomes(result, _line, texts, telling)


def _line(scan: "PredictOutcome") -> str:
    volumes = [f"{name} {volume:.1f} ml" for name, volume in scan.volumes_ml.items()]
    more = f", {len(volumes) - SHOWN} more labels" if len(volumes) > SHOWN else ""
    again = " (done already)" if scan.status == "skipped" else ""
    verdict = "unlike the training scans" if scan.flags else "not checked by an expert"
    where = scan.outputs.get("predicted_report", scan.outputs.get("dseg"))
    return f"{', '.join(volumes[:SHOWN])}{more}; {verdict}{again}  -> {where}"
