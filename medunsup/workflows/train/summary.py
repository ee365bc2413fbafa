"""What a training came to: scans of each split, the check on synthetic lesions, the rate that can be kept."""

from collections import Counter
from typing import Any

from medunsup.cohort.training.select import left_out_words
from medunsup.workflows.train.encoder import encoder_remarks
from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.select import healthy_words


def trained_facts(made: ModelFolder) -> dict[str, Any]:
    """Gather for --json: folder, contrast, scans by split, who was left out, average precision, settings."""
    check = made.synthetic
    return {
        "model": str(made.path),
        "contrast": made.contrast,
        "scans": dict(Counter(made.hashes.values())),
        "healthy_by": made.manifest.healthy_by,
        "left_out": made.manifest.left_out,
        "synthetic": {
            "average_precision": check.average_precision,
            "prevalence": check.prevalence,
            "best_baseline": check.best,
            "best_baseline_average_precision": check.best_average_precision,
        },
        "least_p_value": 1 / (made.about.n_calibration + 1),
        "settings": made.settings.model_dump(),
    }


def remarks(made: ModelFolder) -> list[str]:
    """Say at the end who counts as healthy, who was left out, and which rate can be kept."""
    who = (healthy_words(made.manifest.healthy_by), left_out_words(made.manifest.left_out))
    of_encoder = encoder_remarks(made.manifest.encoder)
    return [text for text in (*who, *of_encoder, calibration_remark(made)) if text]


def calibration_remark(made: ModelFolder) -> str:
    """Say which false-positive rate the calibration scans support; nothing if they support the usual one."""
    from medunsup.anomaly.calibration import SCANS_FOR_USUAL, USUAL_ALPHA

    n = made.about.n_calibration
    if n >= SCANS_FOR_USUAL:
        return ""
    return (
        f"{n} calibration scans support a false-positive rate of 1/{n + 1} = {1 / (n + 1):.3g} or more. For "
        f"{USUAL_ALPHA:g} give {SCANS_FOR_USUAL}: more scans, or a larger share (`calibration:` in a config)."
    )
