"""Networks for rows (B, D) or images (B, C, ...): one that takes them to features, one that makes them."""

from math import ceil, prod

from torch import Tensor, nn

from medunsup.nn.encoder import make_encoder

NOISE_SIDES = 4  # voxels of an image that one cell of the generator's first map stands for
WIDEST = 64  # channels of the generator's first map at most: at full resolution more cost most of the time


class Body(nn.Module):
    """Features (B, width) of flat values (B, D): dense layers, or for images an encoder of ours.

    Layers are normalised item by item, so that one item gives the same alone as in a batch.
    """

    def __init__(
        self, shape: tuple[int, ...], width: int, encoder: str, parameters: dict[str, object]
    ) -> None:
        super().__init__()
        self.shape = shape
        if len(shape) == 1:
            self.layers: nn.Module = nn.Sequential(*_dense(shape[0], width), *_dense(width, width))
        else:
            self.encoder = make_encoder(encoder, parameters, dims=len(shape) - 1, channels=shape[0])
            self.layers = nn.Sequential(*_dense(self.encoder.n_features, width))

    def forward(self, values: Tensor) -> Tensor:
        """Return features (B, width)."""
        if len(self.shape) > 1:
            values = self.encoder.features(values.reshape(-1, *self.shape))
        found: Tensor = self.layers(values)
        return found


class Maker(nn.Module):
    """Flat values (B, D) made of codes (B, K): dense layers, or growing maps where `shape` is an image's."""

    def __init__(self, n_codes: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.shape = shape
        if len(shape) == 1:
            self.layers = nn.Sequential(
                *_dense(n_codes, width), *_dense(width, width), nn.Linear(width, shape[0])
            )
            return
        width = min(width, WIDEST)
        self.start = (width, *(ceil(side / NOISE_SIDES) for side in shape[1:]))
        self.first = nn.Linear(n_codes, prod(self.start))
        convolution = nn.Conv2d if len(shape) == 3 else nn.Conv3d
        half = max(8, width // 2)
        self.layers = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            convolution(width, half, 3, padding=1),
            nn.GroupNorm(1, half),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            convolution(half, shape[0], 3, padding=1),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Return values (B, D), flat."""
        if len(self.shape) == 1:
            made: Tensor = self.layers(codes)
            return made
        maps = self.layers(self.first(codes).reshape(-1, *self.start))
        for axis, side in enumerate(self.shape[1:], 2):
            maps = maps.narrow(axis, 0, side)
        found: Tensor = maps.flatten(1)
        return found


def _dense(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.LeakyReLU(0.2)
