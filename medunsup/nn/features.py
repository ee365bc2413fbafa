"""Features of an encoder that is left as it is: a pretrained one, or one of random weights."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from medunsup.core.errors import InputError
from medunsup.core.hints import option
from medunsup.nn.autoencoder import Encoder
from medunsup.nn.blocks import widths

MODEL, PREFIX = "model/", "encoder."  # as in a model folder, and as in a learner
MODES = {2: "bilinear", 3: "trilinear"}


class FrozenFeatures(nn.Sequential):
    """Map (B, C, ...) to the features of all levels of an `Encoder` (B, `outputs`, ...) at half the size.

    Its convolutions alone are kept, so that they fit any grid; nothing here is ever trained.
    """

    def __init__(self, shape: Sequence[int], *, channels: int, levels: int) -> None:
        encoder = Encoder(shape, channels=channels, levels=levels, outputs=1)
        super().__init__(*list(encoder)[: levels + 1])
        self.outputs = sum(widths(channels, levels)[1:])
        self.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of each level, enlarged to those of the first."""
        first, *downs = self
        features = [first(x)]
        for down in downs:
            features.append(down(features[-1]))
        size = features[1].shape[2:]
        mode = MODES[len(size)]
        return torch.cat([functional.interpolate(level, size, mode=mode) for level in features[1:]], dim=1)

    def take(self, path: Path) -> None:
        """Take over the convolutions of an encoder stored as safetensors.

        Names begin with "model/encoder.", as in a model folder, with "encoder." or with nothing.

        Raises InputError if the file cannot be read, or holds an encoder of other sizes.
        """
        weights = _read(path)
        mine = {name: weights[name] for name in self.state_dict() if name in weights}
        try:
            self.load_state_dict(mine)
        except RuntimeError as error:
            raise InputError(
                f"{path}: no encoder of these sizes. Give dims, channels and levels as it was trained with, "
                "and scans with as many contrasts."
            ) from error


def _read(path: Path) -> dict[str, Tensor]:
    if path.is_dir():
        raise InputError(
            f"{path}: is a folder, not a file of weights. To train, give a pretrained encoder with "
            f"{option('encoder')}; in Python also as medunsup.Encoder.load(folder)."
        )
    try:
        stored = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as safetensors ({error}).") from error
    return {name.removeprefix(MODEL).removeprefix(PREFIX): value for name, value in stored.items()}
