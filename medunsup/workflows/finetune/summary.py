"""What a fine-tuning came to, in plain values and in words."""

from typing import Any

from medunsup.cohort.finetuned.folder import PAGE, PREDICTIONS, FinetunedFolder
from medunsup.workflows.finetune.figures import ARM_WORDS, NATIVE


def finetuned_facts(made: FinetunedFolder) -> dict[str, Any]:
    """Gather for --json: folder, task, scans by split, figures without those of each scan."""
    about = made.manifest
    figures = {key: value for key, value in made.figures.items() if key != "Cases"}
    return {
        "folder": str(made.path),
        "task": about.task,
        "scans": about.scans,
        "verdict": about.verdict,
        "figures": figures,
        "remarks": about.remarks,
        "page": str(made.path / PAGE),
        "predictions": str(made.path / PREDICTIONS),
    }


def line(made: FinetunedFolder) -> str:
    """Say in one line what came out: "fine-tuned, all layers .912; from scratch .905: better"."""
    means = made.figures["MeanDice"]
    told = ", ".join(f"{ARM_WORDS[arm]} {_dice(of[NATIVE]['value'])}" for arm, of in means.items())
    return f"Dice {told}. Fine-tuned beside scratch: {made.manifest.verdict}"


def _dice(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
