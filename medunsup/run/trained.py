"""What a training came to: scans of each part, the check on planted lesions, the rate that can be kept."""

from collections import Counter
from typing import Any

from medunsup.run.model_folder import ModelFolder

USUAL_ALPHA, SCANS_FOR_IT = 0.05, 19


def trained_facts(made: ModelFolder) -> dict[str, Any]:
    """Gather for --json: folder, contrast, scans by part, average precision on planted lesions, settings."""
    check = made.planted
    return {
        "model": str(made.path),
        "contrast": made.contrast,
        "scans": dict(Counter(made.hashes.values())),
        "planted": {
            "average_precision": check.average_precision,
            "prevalence": check.prevalence,
            "best_cheap_method": check.best,
            "best_cheap_average_precision": check.best_average_precision,
        },
        "least_p_value": 1 / (made.about.n_calibration + 1),
        "settings": made.settings.model_dump(),
    }


def calibration_remark(made: ModelFolder) -> str:
    """Say which false-positive rate the calibration scans support; nothing if they support the usual one."""
    n = made.about.n_calibration
    if n >= SCANS_FOR_IT:
        return ""
    return (
        f"{n} calibration scans support a false-positive rate of 1/{n + 1} = {1 / (n + 1):.3g} or more. For "
        f"{USUAL_ALPHA:g} give {SCANS_FOR_IT}: more scans, or a larger share (`calibration:` in a config)."
    )
