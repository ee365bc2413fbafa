"""Where the checkpoints of a training lie, and who hears how far it is."""

from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.core.progress import Stage, Told

if TYPE_CHECKING:
    from medunsup.training.loop import Training
    from medunsup.training.monitor import Progress

WATCHED = {
    "feature_std": "spread",
    "feature_rank": "rank",
    "alignment": "alignment",
    "knn_accuracy": "k-NN",
}


def training_of(out: Path, *, resume: bool, told: Told) -> "Training":
    """Say where a deep model's checkpoints lie and who hears of its progress."""
    from medunsup.training.loop import Training

    def tell(progress: "Progress") -> None:
        what = f"epoch {progress.epoch} of {progress.epochs}"
        told(Stage(what, progress.step / progress.steps, progress.seconds_left, _figures(progress)))

    return Training(folder=out, resume=resume, tell=tell)


def _figures(progress: "Progress") -> str:
    """Say the loss now, and how the features were after the last epoch, if they are watched."""
    losses = list(progress.losses.items())[-1:]  # that of an objective stands behind its terms
    watched = [(words, progress.figures.get(name)) for name, words in WATCHED.items()]
    return ", ".join(f"{name} {value:.3g}" for name, value in (*losses, *watched) if value is not None)
