"""What a fine-tuning came to, in plain values and in words."""

from typing import Any

from medunsup.cohort.finetuned.folder import PAGE, PREDICTIONS, PROBABILITIES, FinetunedFolder
from medunsup.workflows.finetune.few_labels.words import compared_of
from medunsup.workflows.finetune.settings import FinetuneSettings

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
        **({} if about.few_labels is None else {"few_labels": about.few_labels}),
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
    compared, few = (
        compared_of(FinetuneSettings.parse(made.manifest.settings, str(made.path))),
        made.manifest.few_labels,
    )
    begun = "Fine-tuned beside scratch" if few is None else compared.heading
    found = []
    for one in shares:
        told = ", ".join(
            f"{compared.arms[arm]} {_figure(of['value'])}" for arm, of in one["networks"].items()
        )
        said = one[f"against_{compared.key}"].get(compared.main, {"words": made.manifest.verdict})
        whose = f"{one['subjects']} labelled: " if len(shares) > 1 else ""
        found.append(f"{whose}{measure} {told}. {begun}: {said['words']}")
    return found if few is None else [*found, few["why"]]


def _figure(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
