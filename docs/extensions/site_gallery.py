"""The order of the gallery: from one scan to many."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDER = [
    "plot_segment.py",
    "plot_dicom.py",
    "plot_bias_field.py",
    "plot_choose_k.py",
    "plot_detect.py",
    "plot_calibration.py",
    "plot_evaluation.py",
    "plot_own_method.py",
    "plot_monai_chain.py",
    "plot_pretrain_finetune.py",
    "plot_dino_attention.py",
    "plot_cluster_cohort.py",
]


def in_order(name: str) -> tuple[int, str]:
    """Sort key of an example's file name; what the list does not name comes last."""
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)
