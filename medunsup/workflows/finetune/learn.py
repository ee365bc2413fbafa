"""From labelled scans on the grid to trained networks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.training.progress import training_of
from medunsup.core.progress import Stage, Told
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.settings import FinetuneSettings

if TYPE_CHECKING:
    from medunsup.supervised.segmentation import Arm, Segmentation
    from medunsup.training.scan_stack import Scans

TIMING = "samples_per_s"

Curve = list[dict[str, Any]]


def build(settings: FinetuneSettings, pretrained: Pretrained, classes: int) -> "Segmentation":
    """Make what is trained. Raises UsageError for parameters that the task does not take."""
    from medunsup.supervised.segmentation import ARMS, Segmentation

    arms: tuple[Arm, ...] = ARMS if settings.baselines else ("finetuned",)
    config = check_parameters(settings)
    return Segmentation(config, pretrained.network, classes=classes, arms=arms)


def check_parameters(settings: FinetuneSettings) -> Any:
    """Return the task's config. Raises UsageError for parameters that it does not take."""
    from medunsup.supervised.segmentation import SegmentationConfig

    return SegmentationConfig.parse({"seed": settings.seed, **settings.parameters}, settings.task)


def learn(made: "Segmentation", scans: "Scans", out: Path, *, resume: bool, told: Told) -> "Segmentation":
    """Train all networks on the scans, for the number of steps; the last weights are kept, never the best."""
    made = made.with_steps(scans)
    training = replace(training_of(out, resume=resume, told=told), patience=None, keep="last")
    told(Stage("fine-tuning"))
    return made.fit(scans, training=training)


def read_curve(folder: Path) -> Curve:
    """Read the losses of each epoch from the log."""
    from medunsup.training.monitor import LOG

    rows = [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]
    return [{key: value for key, value in row.items() if key != TIMING and value is not None} for row in rows]
