"""What an encoder makes of each voxel of a scan: its feature maps on few axes, where their cells lie."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medunsup.nn.encoder import Encoder, filled_up
from medunsup.nn.placing import placed
from medunsup.selfsupervised.encode import items

Array = NDArray[np.float32]


def voxel_maps(
    encoder: Encoder, values: Array, mask: NDArray[np.bool_], *, n_axes: int = 5
) -> dict[str, Array]:
    """Return images (I, J, K) float32 of a scan (C, I, J, K): its feature maps on their principal axes.

    Cells of each of the encoder's maps that reach into the mask (I, J, K) give `n_axes` principal axes, and
    the components are interpolated linearly to the voxels. All components of one map together have a variance
    of 1 in the mask; the first counts most. In two dimensions slices are looked at one by one.
    """
    seen = [
        (levels, x.shape[2:], *_seen(encoder, x, inside))
        for _, levels, x, inside in items(values[None], mask[None], encoder.dims)
    ]
    found: dict[str, Array] = {}
    for scale in range(len(encoder.widths)):
        middle, axes = _axes(torch.cat([_rows(maps[scale], inside) for _, _, maps, inside in seen]), n_axes)
        images = np.zeros((axes.shape[1], *mask.shape), np.float32)
        for levels, sides, maps, _ in seen:
            components = ((maps[scale].movedim(1, -1) - middle) @ axes).movedim(-1, 1)
            stride, start = encoder.strides[scale], encoder.starts[scale]
            voxels = placed(components, sides, stride=stride, start=start).numpy()
            if encoder.dims == 3:
                images[:] = voxels[0]
            else:
                images[:, :, :, levels] = np.moveaxis(voxels, 0, -1)
        spread = float(np.sqrt(images[:, mask].var(axis=1).sum())) or 1.0
        found |= {f"map{scale + 1}/{n + 1:02d}": image / spread for n, image in enumerate(images)}
    return found


@torch.no_grad()
def _seen(encoder: Encoder, x: Array, inside: NDArray[np.bool_]) -> tuple[list[Tensor], Tensor]:
    """Return the maps of items (B, C, ...), and their mask (B, 1, ...) at the size the encoder saw."""
    device = next(encoder.parameters()).device
    maps = encoder.eval()(filled_up(torch.from_numpy(x).to(device), encoder.divisor))
    return [one.float().cpu() for one in maps], filled_up(torch.from_numpy(inside), encoder.divisor)


def _rows(cells: Tensor, inside: Tensor) -> Tensor:
    """Return the cells (n, C) of a map (B, C, ...) that reach into the mask (B, 1, ...)."""
    reaches = functional.interpolate(inside.float(), cells.shape[2:], mode="area")[:, 0] > 0
    return cells.movedim(1, -1)[reaches]


def _axes(rows: Tensor, n_axes: int) -> tuple[Tensor, Tensor]:
    """Return the mean (C,) and principal axes (C, k) of rows (n, C), the largest first."""
    exact = rows.double()
    middle = exact.mean(0)
    covariance = (exact - middle).T @ (exact - middle) / len(exact)
    axes = torch.linalg.eigh(covariance)[1].flip(1)[:, :n_axes]
    signs = axes.gather(0, axes.abs().argmax(0, keepdim=True)).sign()
    return middle.float(), (axes * signs).float()
