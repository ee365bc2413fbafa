"""Made-up evaluations: what a model and its baselines reached, patient by patient."""

from collections.abc import Sequence

import numpy as np

from medunsup.anomaly.evaluation import EvaluatedCase, Evaluation
from medunsup.metrics.comparison import gather
from medunsup.metrics.froc import FrocCurve

ABOUT = {"model": "vae", "score": "absolute", "steps": ["median=3"], "contrast": "FLAIR"}
PREVALENCE = 0.02


def patient(number: int, model: float, baseline: float, *, site: str = "A") -> EvaluatedCase:
    """A patient in whom model and rank_high reach these average precisions."""
    return EvaluatedCase(
        scan=f"sub-{number}_FLAIR.nii.gz",
        subject=f"sub-{number}",
        site=site,
        is_ill=True,
        scan_scores={"model": 2.0 + number / 100, "prevalence": 0.0, "rank_high": 0.5, "pca_ecod": 1.0},
        figures={
            name: {"average_precision": value, "prevalence": PREVALENCE, "auroc": 0.9, "aupro": 0.5}
            | {"oracle_dice": value, "oracle_threshold": 1.0}
            for name, value in (("model", model), ("prevalence", PREVALENCE), ("rank_high", baseline))
        },
        froc={name: curve(2, [0.0, 0.5, 1.0], [0, 1, 4]) for name in ("model", "rank_high")},
        at_threshold={"dice": 0.4, "precision": 0.5, "recall": 0.4}
        | {"lesions": 2.0, "lesions_found": 1.0, "false_positives": 1.0},
        steps={"none": model - 0.05, "median=3": model},
        p_value=0.1,
    )


def healthy(number: int, *, site: str = "A") -> EvaluatedCase:
    """A healthy scan, in which both methods mark something at the lower thresholds."""
    return EvaluatedCase(
        scan=f"sub-{number}_FLAIR.nii.gz",
        subject=f"sub-{number}",
        site=site,
        is_ill=False,
        scan_scores={"model": 1.0 + number / 100, "prevalence": 0.0, "rank_high": 0.5, "pca_ecod": 1.0},
        froc={name: curve(0, [np.nan] * 3, [0, 1, 2]) for name in ("model", "rank_high")},
        at_threshold={"lesions": 0.0, "lesions_found": 0.0, "false_positives": 1.0},
        p_value=0.6,
    )


def curve(n_lesions: int, sensitivity: Sequence[float], false: Sequence[float]) -> FrocCurve:
    thresholds = np.array([3.0, 2.0, 1.0], np.float32)
    return FrocCurve(thresholds, np.array(sensitivity), np.array(false, float), n_lesions, 1)


def evaluation(model: Sequence[float], baseline: Sequence[float], *, n_healthy: int = 2) -> Evaluation:
    """One patient a pair of average precisions, and some healthy people from another site."""
    pairs = zip(model, baseline, strict=True)
    cases = [patient(n, own, other) for n, (own, other) in enumerate(pairs)]
    cases += [healthy(len(cases) + n, site="B") for n in range(n_healthy)]
    return Evaluation(gather(cases), tuple(cases), ABOUT, threshold=1.5, fp_per_scan=1.0)
