"""Heads behind an encoder: small networks on feature vectors, thrown away after pretraining."""

from torch import nn


class Projector(nn.Sequential):
    """Map features (B, inputs) to (B, outputs) through one hidden layer; no state depends on the batch."""

    def __init__(self, inputs: int, outputs: int, *, hidden: int | None = None) -> None:
        hidden = hidden or inputs
        super().__init__(nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, outputs))
