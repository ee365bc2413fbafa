"""Where the checkpoints of a training lie, and who hears how far it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.core.progress import Stage, Told

if TYPE_CHECKING:
    from medunsup.training.loop import Training
    from medunsup.training.monitor import Progress


def training_of(out: Path, *, resume: bool, told: Told) -> "Training":
    """Say where a deep model's checkpoints lie and who hears of its progress."""
    from medunsup.training.loop import Training

    def tell(progress: "Progress") -> None:
        what = f"epoch {progress.epoch} of {progress.epochs}"
        told(Stage(what, progress.step / progress.steps, progress.seconds_left))

    return Training(folder=out, resume=resume, tell=tell)
