"""A segmentation network around any encoder: its feature maps, and a light decoder with skips."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from medunsup.nn.blocks import ConvBlock, convolution
from medunsup.nn.encoder import Encoder

IMAGE_WIDTH = 16  # features of the image itself, where an encoder has no map at full resolution


class SkipDecoder(nn.Module):
    """The way up of a U-Net (Ronneberger et al., MICCAI 2015): one convolution a level, each with its skip.

    `widths` and `strides` are those of the encoder's maps. Where the finest is coarser than the image, a
    convolution of the image is one more skip.
    """

    def __init__(
        self, dims: int, channels: int, outputs: int, *, widths: Sequence[int], strides: Sequence[int]
    ) -> None:
        super().__init__()
        is_whole = strides[0] == 1
        self.image = None if is_whole else ConvBlock(dims, channels, IMAGE_WIDTH)
        wide = [*widths] if is_whole else [IMAGE_WIDTH, *widths]
        pairs = zip(wide[:0:-1], wide[-2::-1], strict=True)
        self.blocks = nn.ModuleList([ConvBlock(dims, coarse + fine, fine) for coarse, fine in pairs])
        self.last = convolution(dims, wide[0], outputs, kernel=1)

    def forward(self, x: Tensor, maps: Sequence[Tensor]) -> Tensor:
        """Return (B, outputs, ...) on the grid of the images `x` from their feature maps, fine to coarse."""
        skips = [*maps] if self.image is None else [self.image(x), *maps]
        found = skips[-1]
        for block, skip in zip(self.blocks, skips[-2::-1], strict=True):
            enlarged = functional.interpolate(found, size=skip.shape[2:], mode="nearest")
            found = block(torch.cat([skip, enlarged], dim=1))
        return self.last(found)


class SegmentationNetwork(nn.Module):
    """Images (B, C, ...) of any sides to the scores (B, classes, ...) of each voxel, before any softmax.

    Sides that the encoder does not take are padded with zeros at their far ends.
    """

    def __init__(self, encoder: Encoder, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = SkipDecoder(
            encoder.dims, encoder.channels, classes, widths=encoder.widths, strides=encoder.strides
        )

    def forward(self, x: Tensor, *, frozen: bool = False) -> Tensor:
        """Return the scores; with `frozen` no gradient reaches the encoder."""
        sides = x.shape[2:]
        missing = [-side % self.encoder.divisor for side in sides]
        if any(missing):
            x = functional.pad(x, [end for far in reversed(missing) for end in (0, far)])
        with torch.set_grad_enabled(torch.is_grad_enabled() and not frozen):
            maps = self.encoder(x)
        return self.decoder(x, maps)[(..., *(slice(side) for side in sides))]
