"""What a fine-tuning came to, in plain values and in words."""

from typing import Any

from medunsup.cohort.finetuned.folder import PAGE, PREDICTIONS, PROBABILITIES, FinetunedFolder
from medunsup.workflows.finetune.compared import ARM_WORDS

BULKY = ("Cases",)  # in figures.json


def finetuned_facts(made: FinetunedFolder) -> dict[str, Any]:
    """Gather for --json: folder, task, scans by split, figures without those of each scan."""
    about = made.manifest
    figures = {key: value for key, value in made.figures.items() if key not in BULKY}
    return {
        "folder": str(made.path),
        "task": about.task,
        "scans": about.scans,
        "verdict": about.verdict,
        "figures": figures,
        "remarks": about.remarks,
        "page": str(made.path / PAGE),
        "predictions": str(made.path / (PREDICTIONS if about.task == "segment" else PROBABILITIES)),
    }


def lines(made: FinetunedFolder) -> list[str]:
    """Say in a line for each share of the labels what came out, from the largest to the smallest.

    "Dice fine-tuned, all layers .912, from scratch .905. Fine-tuned beside scratch: better"
    """
    measure, shares = made.figures["Measure"], made.figures["Shares"]
    found = []
    for one in shares:
        told = ", ".join(f"{ARM_WORDS[arm]} {_figure(of['value'])}" for arm, of in one["networks"].items())
        compared = one["against_scratch"].get("finetuned", {"words": made.manifest.verdict})
        whose = f"{one['subjects']} labelled: " if len(shares) > 1 else ""
        found.append(f"{whose}{measure} {told}. Fine-tuned beside scratch: {compared['words']}")
    return found


def _figure(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
