"""Networks as programs that run without medunsup: TorchScript, from prepared arrays to what is asked for."""

import warnings
from collections.abc import Sequence
from io import BytesIO

import torch
from torch import Tensor, nn

from medunsup.core.errors import StepError
from medunsup.nn.encoder import Encoder
from medunsup.nn.segmenter import SegmentationNetwork

TOLERANCE = 1e-5
TRIED = 3  # inputs with which a program is compared


class Labels(nn.Module):
    """Prepared scans (B, C, I, J, K) to the probability (B, classes, I, J, K) of each class of each voxel.

    A network in two dimensions takes axial slices; those that are 0 everywhere are background.
    """

    def __init__(self, network: SegmentationNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Return the probabilities."""
        if self.network.encoder.dims == 3:
            return self.network(x).softmax(dim=1)
        batch, levels = x.shape[0], x.shape[4]
        slices = x.permute(0, 4, 1, 2, 3).flatten(0, 1)
        shares = self.network(slices).softmax(dim=1)
        background = torch.zeros_like(shares)
        background[:, 0] = 1
        is_used = (slices != 0).flatten(1).any(dim=1).view(-1, 1, 1, 1)
        return torch.where(is_used, shares, background).unflatten(0, (batch, levels)).permute(0, 2, 3, 4, 1)


class VolumeFeatures(nn.Module):
    """Scans or volumes (B, C, I, J, K) to features (B, D); `only_inside`: where the first channel is not 0.

    In two dimensions the features of the slices that reach in there are averaged.
    """

    def __init__(self, encoder: Encoder, *, only_inside: bool = True) -> None:
        super().__init__()
        self.encoder, self.only_inside = encoder, only_inside

    def forward(self, x: Tensor) -> Tensor:
        """Return the features."""
        if self.encoder.dims == 3:
            return self.encoder.features(x, self._inside(x))
        batch, levels = x.shape[0], x.shape[4]
        slices = x.permute(0, 4, 1, 2, 3).flatten(0, 1)
        inside = self._inside(slices)
        rows = self.encoder.features(slices, inside).unflatten(0, (batch, levels))
        is_used = inside.flatten(1).any(dim=1).unflatten(0, (batch, levels))[..., None]
        weights = torch.where(is_used.any(dim=1, keepdim=True), is_used, torch.ones_like(is_used)).float()
        return (rows * weights).sum(dim=1) / weights.sum(dim=1)

    def _inside(self, x: Tensor) -> Tensor:
        first = x[:, :1]
        return first != 0 if self.only_inside else torch.ones_like(first, dtype=torch.bool)


class ImageFeatures(nn.Module):
    """Images (B, C, H, W) to features (B, D), averaged over all of the image."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: Tensor) -> Tensor:
        """Return the features."""
        return self.encoder.features(x)


class OneSize(nn.Module):
    """A traced network that refuses inputs of another shape, for which its trace need not hold."""

    def __init__(self, traced: nn.Module, shape: Sequence[int]) -> None:
        super().__init__()
        self.traced, self.shape = traced, [int(side) for side in shape]

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network does."""
        assert x.shape[1:] == self.shape, "takes inputs of one shape, see metadata.json"
        return self.traced(x)


def as_program(network: nn.Module, shape: Sequence[int]) -> bytes:
    """Return a network as the bytes of a TorchScript file, for inputs (B, *shape).

    Paddings follow from the sides of the input and are fixed by the trace, so other sides are refused.
    """
    from copy import deepcopy

    made = deepcopy(network).cpu().eval().requires_grad_(False)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of what follows from the sides, and that torch.export is newer
        traced = torch.jit.trace(made, torch.zeros(1, *shape), check_trace=False)
        program = torch.jit.script(OneSize(traced, shape))
        buffer = BytesIO()
        torch.jit.save(program, buffer)
    return buffer.getvalue()


def difference(network: nn.Module, program: nn.Module, shape: Sequence[int]) -> float:
    """Return the largest difference of a network's and a program's outputs, for inputs (B, *shape).

    Inputs are random, as prepared scans are: from 0 to 2, 0 around the brain.
    """
    generator, largest = torch.Generator().manual_seed(0), 0.0
    with torch.no_grad():
        for batch in range(1, TRIED):
            x = 2 * torch.rand(batch, *shape, generator=generator)
            for axis, side in enumerate(shape[1:], start=2):
                edge = side // 8
                x.narrow(axis, 0, edge).zero_()
                x.narrow(axis, side - edge, edge).zero_()
            largest = max(largest, float((network(x) - program(x)).abs().max()))
    return largest


def check_same(network: nn.Module, program: nn.Module, shape: Sequence[int]) -> float:
    """Return `difference`; raises StepError if it is larger than 1e-5."""
    found = difference(network.eval(), program, shape)
    if not found <= TOLERANCE:
        raise StepError(
            f"The exported program computes something else than the network (largest difference {found:.1g}, "
            f"limit {TOLERANCE:g}). Nothing was written; please report the encoder and its parameters."
        )
    return found
