"""What a run tells while it goes on: progress with time left, a JSON line an epoch, pictures, TensorBoard."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medunsup.core.errors import DependencyError, OutputError
from medunsup.io.files.atomic import atomic_path
from medunsup.training.learner import Batch, Learner

LOG = "log.jsonl"
PICTURES = "pictures"
ITEMS_SHOWN = 4


@dataclass(frozen=True)
class Progress:
    """Where a run stands; `step` counts batches from 1 to `steps` over all epochs, `epoch` from 1.

    `figures` are those that were logged last, once an epoch.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    losses: dict[str, float]
    best_validation: float | None
    seconds_left: float
    figures: Mapping[str, float | None] = field(default_factory=dict)


class Monitor:
    """Writes into the run's folder, if it has one, and calls `tell` after every batch."""

    def __init__(
        self,
        folder: Path | None,
        *,
        tell: Callable[[Progress], None] | None = None,
        tensorboard: bool = False,
        rows_kept: int = 0,
    ) -> None:
        self._folder = folder
        self._tell = tell
        self.rows = rows_kept
        self._board = _board(folder) if tensorboard and folder else None
        self._figures: Mapping[str, float | None] = {}
        self._started, self._steps_here = time.monotonic(), 0
        if folder:
            _keep_lines(folder / LOG, rows_kept)

    def step(
        self, epoch: int, epochs: int, step: int, steps: int, losses: dict[str, float], best: float | None
    ) -> None:
        """Tell where the run stands; time left follows from the pace since it was started or resumed."""
        self._steps_here += 1
        if self._tell:
            pace = (time.monotonic() - self._started) / self._steps_here
            left = pace * (steps - step)
            self._tell(Progress(epoch, epochs, step, steps, losses, best, left, self._figures))

    def epoch(self, epoch: int, row: Mapping[str, float | None]) -> None:
        """Log one epoch. Raises OutputError if the disk is full."""
        self.rows += 1
        self._figures = dict(row)
        if self._folder:
            _append(self._folder / LOG, json.dumps({"epoch": epoch, **row}))
        if self._board:
            for name, value in row.items():
                if value is not None:
                    self._board.add_scalar(name, value, epoch)
            self._board.flush()

    def pictures(self, learner: Learner, batch: Batch, epoch: int, *, of_images: bool = False) -> None:
        """Write inputs, reconstructions and their differences as one PNG, if the learner reconstructs.

        Items that are `of_images` are drawn as stored, slices of scans with the front of the head up.
        """
        reconstruct = getattr(learner, "reconstruct", None)
        if not self._folder or reconstruct is None:
            return
        from PIL import Image

        with torch.no_grad():
            healthy = reconstruct(batch.values, batch.masks)
        path = self._folder / PICTURES / f"epoch-{epoch:04d}.png"
        sheet = _sheet(batch.values, healthy.float(), quarters=0 if of_images else 1)
        with atomic_path(path) as temporary:
            Image.fromarray(sheet).save(temporary, format="PNG")


def _sheet(values: Tensor, healthy: Tensor, *, quarters: int) -> NDArray[np.uint8]:
    """One column an item, turned by so many quarters: input, reconstruction, absolute difference doubled."""
    rows = [values, healthy, 2 * (values - healthy).abs()]
    flat = [(row[..., row.shape[-1] // 2] if row.ndim == 5 else row)[:, 0].cpu().numpy() for row in rows]
    turned = [np.concatenate([np.rot90(item, quarters) for item in row], axis=1) for row in flat]
    sheet = 255 * np.clip(np.nan_to_num(np.concatenate(turned)), 0, 1)
    return sheet.astype(np.uint8)


def _keep_lines(path: Path, count: int) -> None:
    """Cut a log to what the checkpoint knew, so that a resumed run logs no epoch twice."""
    lines = path.read_text(encoding="utf-8").splitlines()[:count] if path.exists() else []
    with atomic_path(path) as temporary:
        temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def _append(path: Path, line: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({error.strerror}). Free some space, then resume."
        ) from error


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DependencyError(
            "TensorBoard is not installed: pip install tensorboard, or leave it out: the log has all"
        ) from error
    return SummaryWriter(folder / "tensorboard")
