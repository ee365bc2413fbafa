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
    """Where and how a network is trained; what is learned is said by the model's config.

    Parameters
    ----------
    folder : Path or str, optional
        Takes checkpoint, log and pictures; without it nothing is kept on disk.
    resume : bool, default False
        Go on from the folder's checkpoint.
    precision : {'32-true', '16-mixed', 'bf16-mixed'}, default '32-true'
        Numbers that are computed in; '16-mixed' is for GPUs.
    accelerator : {'auto', 'cpu', 'gpu'}, default 'auto'
        'auto' takes a GPU if there is one.
    devices : int, default 1
        Number of GPUs, or of processes on the CPU.
    parts : int, optional
        Pieces that a batch is worked off in, spread over the devices; without it one each. More pieces take
        less memory; the same number of pieces gives the same weights on any number of devices, up to
        rounding.
    patience : int or None, default 10
        Stop after so many epochs without a better validation loss; None never stops early.
    keep : {'best', 'last', 'score'}, default 'best'
        Weights that a run ends with: those of the epoch with the lowest validation loss, where there are
        validation items; those of the last; or those of the epoch that the learner scores highest.
    checkpoint_every_s : float, default 60.0
        Seconds between checkpoints; 0 writes one after every batch.
    pictures_every : int, default 5
        Epochs between sheets of sample reconstructions.
    tell : callable, optional
        Called with a `Progress` after every batch.
    tensorboard : bool, default False
        Log for TensorBoard as well.
    transform : callable or sequence of callable, optional
        Changes each training item before it is seen; a list makes one view each, of validation items too.
        What is learned then follows from it too, and no checkpoint knows it.
    deterministic : bool, default False
        On a GPU take only algorithms that always give the same, which may be slower.
    workers : int, default 2
        Threads that gather batches ahead of the step; more help where transforms take long, 0 gathers each
        when it is needed.

    Raises
    ------
    UsageError
        If there are fewer workers than 0, or fewer parts than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.anomaly import AE, Scans
    >>> from medunsup.training import Training
    >>> scans = Scans.of_arrays(np.random.default_rng(0).random((4, 16, 16)))
    >>> model = AE(AE.Config(channels=2, levels=1, latent_dim=4, epochs=2))
    >>> model.fit(scans, training=Training(accelerator="cpu")).trained_.epochs
    2
    >>> Training(devices=2).check_pieces(batch_size=16)
    """

    folder: Path | str | None = None
    resume: bool = False
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    devices: int = 1
    parts: int | None = None
    patience: int | None = 10
    keep: Literal["best", "last", "score"] = "best"
    checkpoint_every_s: float = 60.0
    pictures_every: int = 5
    tell: Callable[[Progress], None] | None = None
    tensorboard: bool = False
    transform: TransformOrMany = None
    deterministic: bool = False
    workers: int = 2

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise UsageError(f"workers is {self.workers}: give 0 or more threads.")
        if self.parts is not None and self.parts < 1:
            raise UsageError(
                f"parts is {self.parts}: give 1 or more pieces a batch, or None for one a device."
            )

    def check_pieces(self, batch_size: int) -> None:
        """Make sure that each device has a piece of a batch, and each piece an item.

        Parameters
        ----------
        batch_size : int
            Items of a batch.

        Raises
        ------
        UsageError
            If there are fewer pieces than devices, or more than items.
        """
        parts = self.devices if self.parts is None else self.parts
        if parts < self.devices:
            raise UsageError(
                f"{parts} pieces a batch do not go round {self.devices} devices: give more parts."
            )
        if parts > batch_size:
            raise UsageError(
                f"A batch of {batch_size} cannot be split into {parts} pieces: give fewer parts or devices, "
                "or a larger batch_size (and as many items)."
            )
