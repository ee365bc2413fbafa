"""A classification network around any encoder: a linear layer on its features."""

import torch
from torch import Tensor, nn

from medunsup.nn.encoder import Encoder


class ClassificationNetwork(nn.Module):
    """Images (B, C, ...) of any sides to the scores (B, classes) of each image, before any softmax.

    The features are the encoder's: the mean of its coarsest map over the mask.
    """

    def __init__(self, encoder: Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.n_features, classes)

    def forward(self, x: Tensor, masks: Tensor | None = None, *, frozen: bool = False) -> Tensor:
        """Return the scores; with `frozen` no gradient reaches the encoder."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            features = self.encoder.features(x, masks)
        return self.head(features)
