"""Feature maps of a pretrained encoder that is left as it is."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.config import Config
from medunsup.core.errors import UsageError
from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.nn.placing import placed

MOST_MAPS = 3  # as in Meissen et al. 2022
STEP = 2  # features are looked at at half the resolution


class EncoderCard(Config):
    """Which encoder it is, without its weights: what a stored model says of the one that it holds."""

    name: str = Field(description="name of an encoder that `medunsup methods encoder` lists")
    parameters: dict[str, Any] = Field(default_factory=dict, description="its parameters, by name")
    dims: int = Field(ge=2, le=3, description="2 for images, 3 for volumes")
    channels: int = Field(ge=1, description="channels of the images")
    sha256: str = Field("", description="hash of the file of its weights, if they came from one")

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """Describe an encoder."""
        parameters = encoder.config.model_dump(mode="json")
        return cls(
            name=encoder.method_name, parameters=parameters, dims=encoder.dims, channels=encoder.channels
        )

    def build(self) -> Encoder:
        """Make such an encoder, with random weights. Raises UsageError if there is none."""
        return make_encoder(self.name, self.parameters, dims=self.dims, channels=self.channels)


class FrozenEncoder(nn.Module):
    """Map (B, C, ...) to some feature maps of a pretrained encoder (B, `outputs`, ...) at half the size.

    `levels` are the numbers of the maps, 0 the finest; without them the finest three at half the resolution
    or coarser. Each is interpolated to where its cells lie. Nothing here is ever trained.
    """

    def __init__(self, encoder: Encoder, levels: Sequence[int] | None = None) -> None:
        super().__init__()
        self.encoder = deepcopy(encoder)
        self.levels = usual_levels(encoder) if levels is None else tuple(levels)
        n = len(encoder.widths)
        if not self.levels or any(not 0 <= level < n for level in self.levels):
            raise UsageError(
                f"{encoder.method_name} has the feature maps 0 to {n - 1}, 0 the finest; "
                f"asked for {list(self.levels)}."
            )
        self.outputs = sum(encoder.widths[level] for level in self.levels)
        self.requires_grad_(False)
        self.train(False)

    def train(self, mode: bool = True) -> Self:
        """Stay as in use, whatever the rest of a model does."""
        return super().train(False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the maps, one after the other along the channels."""
        encoder, half = self.encoder, [side // STEP for side in x.shape[2:]]
        maps = self.maps(x)
        where = ((encoder.strides[level], encoder.starts[level]) for level in self.levels)
        laid = [
            placed(found, half, stride=stride, start=start, step=STEP)
            for found, (stride, start) in zip(maps, where, strict=True)
        ]
        return torch.cat(laid, dim=1)

    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the maps as the encoder makes them; sides that it does not take are filled up with zeros."""
        ends = [end for side in reversed(x.shape[2:]) for end in (0, -side % self.encoder.divisor)]
        found = self.encoder(functional.pad(x, ends) if any(ends) else x)
        return [found[level] for level in self.levels]


def usual_levels(encoder: Encoder) -> tuple[int, ...]:
    """Return the finest maps at half the resolution or coarser, three at most."""
    coarse = [level for level, stride in enumerate(encoder.strides) if stride >= STEP]
    return tuple(coarse[:MOST_MAPS]) or (len(encoder.strides) - 1,)
