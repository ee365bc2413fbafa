"""From labelled scans to trained networks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.training.progress import training_of
from medunsup.core.progress import Stage, Told
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.settings import FinetuneSettings

if TYPE_CHECKING:
    from medunsup.supervised.arms import Arm, Task
    from medunsup.training.scan_stack import Scans

TIMING = "samples_per_s"

Curve = list[dict[str, Any]]


def build(settings: FinetuneSettings, pretrained: Pretrained, classes: int) -> "Task":
    """Make what is trained. Raises UsageError for parameters that the task does not take."""
    from medunsup.supervised.arms import ARMS

    arms: tuple[Arm, ...] = ARMS if settings.baselines else ("finetuned",)
    config = check_parameters(settings)
    return kind_of(settings)(
        config, pretrained.network, classes=classes, arms=arms, decoder=pretrained.decoder
    )


def check_parameters(settings: FinetuneSettings) -> Any:
    """Return the task's config. Raises UsageError for parameters that it does not take."""
    return kind_of(settings).Config.parse({"seed": settings.seed, **settings.parameters}, settings.task)


def learn(made: "Task", scans: "Scans", out: Path, *, resume: bool, told: Told) -> "Task":
    """Train all networks on the scans; the last weights are kept, never the best."""
    training = replace(training_of(out, resume=resume, told=told), patience=None, keep="last")
    told(Stage("fine-tuning"))
    return made.fit(scans, training=training)


def read_curve(folder: Path) -> Curve:
    """Read the losses of each epoch from the log."""
    from medunsup.training.monitor import LOG

    if not (folder / LOG).exists():  # nothing was trained step by step
        return []
    rows = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in row.items() if key != TIMING and value is not None} for row in rows]


def kind_of(settings: FinetuneSettings) -> "type[Task]":
    """Return what is trained for the task."""
    if settings.task == "classify":
        from medunsup.supervised.classification import Classification

        return Classification
    from medunsup.supervised.segmentation import Segmentation

    return Segmentation
