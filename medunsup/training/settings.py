"""Where and how a run happens."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medunsup.core.errors import UsageError
from medunsup.training.monitor import Progress
from medunsup.training.transforms import TransformOrMany


@dataclass(frozen=True)
class Training:
    """Where and how a run happens; what is learned is said by the model's config.

    Attributes
    ----------
    folder : takes checkpoint, log and pictures; None keeps nothing on disk.
    resume : go on from the folder's checkpoint.
    precision : "32-true", or mixed: "16-mixed" (GPU) and "bf16-mixed".
    accelerator : "auto" takes a GPU if there is one.
    devices : how many GPUs, or processes on the CPU.
    parts : pieces a batch is worked off in, spread over the devices (None: one each). More pieces take less
        memory; the same number of pieces gives the same weights on any number of devices, up to rounding.
    patience : stop after so many epochs without a better validation loss; None never stops early.
    checkpoint_every_s : seconds between checkpoints; 0 writes one after every batch.
    pictures_every : epochs between sheets of sample reconstructions.
    tell : called after every batch.
    tensorboard : log there as well.
    transform : changes each training item before it is seen, see `datasets.Dataset`; a list makes one view
        each. What is learned then follows from it too, and no checkpoint knows it.
    deterministic : on a GPU take only algorithms that always give the same, which may be slower.
    """

    folder: Path | str | None = None
    resume: bool = False
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    parts: int | None = None
    patience: int | None = 10
    checkpoint_every_s: float = 60.0
    pictures_every: int = 5
    tell: Callable[[Progress], None] | None = None
    tensorboard: bool = False
    transform: TransformOrMany = None
    deterministic: bool = False

    def check_pieces(self, batch_size: int) -> None:
        """Raise UsageError unless each device has a piece of a batch and each piece an item."""
        parts = self.parts or self.devices
        if parts < self.devices:
            raise UsageError(
                f"{parts} pieces a batch do not go round {self.devices} devices: give more parts."
            )
        if parts > batch_size:
            raise UsageError(
                f"A batch of {batch_size} cannot be split into {parts} pieces: give fewer parts or devices, "
                "or a larger batch_size (and as many items)."
            )
