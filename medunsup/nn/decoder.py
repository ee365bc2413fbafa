"""A light way back from an encoder's coarsest feature map to the image.

There are no skips, so the coarsest map must hold all that is rebuilt.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from medunsup.nn.blocks import ConvBlock, convolution


class LightDecoder(nn.Module):
    """Map feature maps, fine to coarse, to (B, outputs, ...) of any size: one convolution a level.

    `widths` are the channels of the maps. Only the coarsest map is read; the others say the sizes on the way.
    """

    def __init__(self, dims: int, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        pairs = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.blocks = nn.ModuleList([ConvBlock(dims, coarse, fine) for coarse, fine in pairs])
        self.last = convolution(dims, widths[0], outputs)

    def forward(self, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        """Decode the last of `maps` to an image of `size`."""
        x = maps[-1]
        for block, finer in zip(self.blocks, maps[-2::-1], strict=True):
            x = block(_enlarged(x, finer.shape[2:]))
        return self.last(_enlarged(x, size))


def _enlarged(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bring a map to a size by repeating values."""
    return functional.interpolate(x, size=tuple(size), mode="nearest")
