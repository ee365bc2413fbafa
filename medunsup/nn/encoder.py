"""What every encoder offers: feature maps from fine to coarse, and one feature vector an item."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.config import Config
from medunsup.core.errors import UsageError
from medunsup.core.registry import method, methods

POOL = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


class EncoderConfig(Config):
    """Base of the parameters of an encoder."""


class Encoder(nn.Module, ABC):
    """Network from images (B, C, ...) to feature maps, registered in the area "encoder".

    A subclass builds its layers in `__init__`, sets `widths` and `strides` there and gives `maps`.

    Parameters
    ----------
    config : EncoderConfig, optional
        Parameters of the network; the defaults if not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images, 1 or more.

    Attributes
    ----------
    widths : tuple of int
        Channels of each feature map, from the finest to the coarsest.
    strides : tuple of int
        Voxels that one step in each feature map stands for, along every axis.
    divisor : int
        Sides of the images must be multiples of it.
    heads : int
        How many heads of global attention its last block has, 0 for an encoder without.
    stem : str
        Beginning of the names of the weights that take the images.
    networks : dict of str to dict
        Networks that hold this encoder, by the name of their class: what the names of its weights begin with,
        and what they begin with there.
    optional : tuple of str
        Parts of the names of weights that are there and never used.
    has_blocks : bool
        Whether a cell of a map stands for a block of voxels, as after pooling or in patches; else for the
        first voxel of the block, as after convolutions that step over the others.
    starts : tuple of float
        Where the middle of each map's first cell lies, in voxels from the first, along every axis.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import CNN
    >>> encoder = CNN(dims=2, channels=1)
    >>> encoder.strides, encoder.n_features
    ((1, 2, 4, 8), 128)
    """

    Config: ClassVar[type[EncoderConfig]] = EncoderConfig
    method_name: ClassVar[str]
    stem: ClassVar[str] = ""
    networks: ClassVar[dict[str, dict[str, str]]] = {}
    optional: ClassVar[tuple[str, ...]] = ()
    has_blocks: ClassVar[bool] = False
    config: Any  # of the subclass's Config
    widths: tuple[int, ...]
    strides: tuple[int, ...]
    divisor: int = 1
    heads: int = 0

    def __init__(self, config: EncoderConfig | None = None, *, dims: int, channels: int) -> None:
        super().__init__()
        self.config = config or self.Config()
        self.dims, self.channels = dims, channels

    @property
    def n_features(self) -> int:
        """Length of a feature vector: the channels of the coarsest map."""
        return self.widths[-1]

    @property
    def starts(self) -> tuple[float, ...]:
        """Where the middle of each map's first cell lies, in voxels from the first."""
        return tuple((stride - 1) / 2 if self.has_blocks else 0.0 for stride in self.strides)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map images to feature maps, from the finest to the coarsest.

        Parameters
        ----------
        x : Tensor of shape (B, C, ...), float
            Images, with two or three axes of space.

        Returns
        -------
        list of Tensor
            Map n has `widths[n]` channels; its sides are those of the images over `strides[n]`, rounded up.

        Raises
        ------
        UsageError
            If the images have other dimensions, channels or sides than the network takes.
        """
        self._check(x.shape)
        return self.maps(x)

    @abstractmethod
    def maps(self, x: Tensor) -> list[Tensor]:
        """Return the feature maps of images whose shape has been checked.

        Parameters
        ----------
        x : Tensor of shape (B, C, ...), float
            Images.

        Returns
        -------
        list of Tensor
            As `forward` returns them.
        """

    def features(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return a feature vector an image: the mean of the coarsest map over the mask.

        A cell of the map counts by the share of its voxels inside the mask. Images whose sides are no
        multiples of `divisor` are padded with zeros at their far ends, and the padding is outside every mask.

        Parameters
        ----------
        x : Tensor of shape (B, C, ...), float
            Images, of any sides.
        mask : Tensor of shape (B, 1, ...), bool, optional
            Where to look, on the grid of the images. Without one, and in images whose mask is empty, all
            cells count alike.

        Returns
        -------
        Tensor of shape (B, D), float
            One row an image; D is `n_features`.

        Raises
        ------
        UsageError
            If the images have other dimensions or channels than the network takes.
        """
        if any(side % self.divisor for side in x.shape[2:]):
            mask = filled_up(whole_if_empty(x, mask), self.divisor)
            x = filled_up(x, self.divisor)
        return self.pooled(self(x)[-1], mask)

    def pooled(self, coarsest: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the mean of the coarsest map over the mask, as `features` does.

        Parameters
        ----------
        coarsest : Tensor of shape (B, D, ...), float
            The last map that `forward` returns.
        mask : Tensor of shape (B, 1, ...), bool, optional
            Where to look, on the grid of the images.

        Returns
        -------
        Tensor of shape (B, D), float
            One row an image.
        """
        if mask is None:
            return coarsest.flatten(2).mean(dim=2)
        weights = self.cell_weights(mask)[:, None]
        return (coarsest.flatten(2) * weights).sum(dim=2) / weights.sum(dim=2)

    def cell_weights(self, mask: Tensor) -> Tensor:
        """Return how much each cell of the coarsest map counts in the features.

        Parameters
        ----------
        mask : Tensor of shape (B, 1, ...), bool
            Where to look, on the grid of the images.

        Returns
        -------
        Tensor of shape (B, cells), float
            Share of each cell's voxels inside the mask; 1 for all where the mask is empty.
        """
        cell = self.strides[-1]
        weights = POOL[self.dims](filled_up(mask.float(), cell), cell).flatten(1)
        return weights.where(weights.sum(dim=1, keepdim=True) > 0, 1.0)

    def attention(self, x: Tensor) -> Tensor | None:
        """Return the attention of the last block, of an encoder whose blocks look at the whole image.

        Parameters
        ----------
        x : Tensor of shape (B, C, ...), float
            Images, as `forward` takes them.

        Returns
        -------
        Tensor of shape (B, heads, cells, cells), or None
            Each row sums to 1 and says how much a cell of the coarsest map takes from each other; None for an
            encoder without such attention.
        """
        return None

    def _check(self, shape: Sequence[int]) -> None:
        """Raise UsageError unless images of this shape (B, C, ...) can be encoded."""
        name, sides = self.method_name, tuple(shape[2:])
        if len(sides) != self.dims or shape[1] != self.channels:
            raise UsageError(
                f"{name} was built for {self.channels} channels in {self.dims}D, got images of shape "
                f"{tuple(shape)}. Give (batch, channels, sides), or build it with other dims and channels."
            )
        if any(side % self.divisor for side in sides):
            larger = tuple(-(-side // self.divisor) * self.divisor for side in sides)
            raise UsageError(
                f"{name} takes sides that are multiples of {self.divisor}, got {sides}. "
                f"Pad the images to {larger}, or choose patches of such sides."
            )


def filled_up(x: Tensor, divisor: int) -> Tensor:
    """Add zeros at the far ends until all sides are multiples of a number."""
    return functional.pad(x, [end for side in reversed(x.shape[2:]) for end in (0, -side % divisor)])


def whole_if_empty(x: Tensor, mask: Tensor | None) -> Tensor:
    """Return the masks of images (B, 1, ...), all of an image whose mask is empty."""
    everywhere = torch.ones_like(x[:, :1], dtype=torch.bool)
    if mask is None:
        return everywhere
    is_empty = ~mask.flatten(1).any(dim=1)
    return mask | (everywhere & is_empty.view(-1, *[1] * (mask.ndim - 1)))


def make_encoder(
    name: str, parameters: Mapping[str, Any] | None = None, *, dims: int, channels: int
) -> Encoder:
    """Build an encoder with random weights, drawn from torch's global generator.

    Parameters
    ----------
    name : str
        Name of the encoder; `medunsup.methods("encoder")` lists them.
    parameters : mapping of str to value, optional
        Parameters of the encoder; the defaults for those not given.
    dims : int
        2 for images, 3 for volumes.
    channels : int
        Channels of the images.

    Returns
    -------
    Encoder
        The encoder, in training mode.

    Raises
    ------
    UsageError
        If there is no such encoder or parameter, or if it cannot be built for these dims and channels.

    Examples
    --------
    >>> import torch
    >>> from medunsup.nn import make_encoder
    >>> encoder = make_encoder("cnn", {"channels": 8, "levels": 2}, dims=3, channels=1)
    >>> [tuple(one.shape) for one in encoder(torch.zeros(1, 1, 16, 16, 8))]
    [(1, 8, 16, 16, 8), (1, 16, 8, 8, 4), (1, 32, 4, 4, 2)]
    """
    kind: type[Encoder] = method("encoder", name)
    cards = {card.name: card for card in methods("encoder")}
    if dims not in cards[name].dims:
        others = ", ".join(card.name for card in cards.values() if dims in card.dims)
        raise UsageError(f"The encoder {name} is not there in {dims}D. Those in {dims}D: {others or 'none'}.")
    if channels < 1:
        raise UsageError(f"The encoder {name} needs images of at least 1 channel, got {channels}.")
    return kind(kind.Config.parse(dict(parameters or {}), f"encoder {name}"), dims=dims, channels=channels)
