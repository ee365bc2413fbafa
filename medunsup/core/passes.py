"""Epoch and loss of the fit that goes on, shown beside its stage."""

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any

from medunsup.core.progress import Stage, Told

EVERY_S = 0.2  # a line that changes more often cannot be read
OF_EPOCHS = ("pretrain_epochs", "epochs", "label_epochs")


class Passes:
    """Counts the passes of a fit by their losses, and tells now and then where it stands."""

    def __init__(self, stage: Stage, n_fits: int, parameters: Mapping[str, Any], told: Told) -> None:
        self.stage, self.told = stage, told
        self.word = "step" if "iterations" in parameters else "epoch"
        names = ("iterations",) if "iterations" in parameters else OF_EPOCHS
        times = {"epochs": int(parameters.get("heads") or 1)}  # each head has epochs of its own
        self.total = sum(times.get(name, 1) * int(parameters.get(name) or 0) for name in names)
        self.step = 1 / n_fits
        self.n, self.last = 0, float("-inf")

    def __call__(self, loss: float) -> None:
        """Take the loss of a pass."""
        self.n += 1
        now = monotonic()
        if now - self.last < EVERY_S and self.n != self.total:
            return
        self.last = now
        is_known = self.n <= self.total
        of = f" of {self.total}" if is_known else ""
        share = self.stage.share + self.step * (self.n / self.total if is_known else 0)
        self.told(replace(self.stage, share=share, detail=f"{self.word} {self.n}{of}, loss {loss:.4g}"))
