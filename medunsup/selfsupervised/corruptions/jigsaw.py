"""Tiles in another order, to be named."""

import torch
from torch import Tensor

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.corruptions.corrupted import Classed
from medunsup.selfsupervised.corruptions.permutations import unlike_permutations
from medunsup.training.learner import View


def jigsaw(
    view: View, generator: torch.Generator, *, tiles: int = 2, orders: int = 64, gap: int = 2
) -> Classed:
    """Cut items into tiles and put them into another order.

    2 x 2 tiles have 24 orders; of 3 x 3 and 2 x 2 x 2 those are taken that are most unlike one another.
    Each tile is moved by a random part of the gap and cut off at the edges of its new place, so that edges
    of neighbours do not tell their order. Gaps are 0 and outside the mask, as are voxels that are left over
    at the far ends.

    Parameters
    ----------
    view : View
        Items (B, C, ...) and their masks; stays as it is.
    generator : Generator
        Where random numbers come from, on the view's device.
    tiles : int, default 2
        Tiles along each axis; 9 tiles in all at most.
    orders : int, default 64
        Most orders to tell apart.
    gap : int, default 2
        Voxels between tiles.

    Returns
    -------
    Classed
        The view, and the position of each item's order in `unlike_permutations`.

    Raises
    ------
    UsageError
        If tiles are no longer than the gap, or more than 9.

    References
    ----------
    Noroozi and Favaro, Unsupervised learning of visual representations by solving jigsaw puzzles, ECCV
    2016; in 3D, Taleb et al., 3D self-supervised methods for medical imaging, NeurIPS 2020.

    Examples
    --------
    >>> import torch
    >>> from medunsup.selfsupervised.corruptions.jigsaw import jigsaw
    >>> from medunsup.training.learner import View
    >>> view = View(torch.rand(2, 1, 16, 16), torch.ones(2, 1, 16, 16, dtype=torch.bool))
    >>> jigsaw(view, torch.Generator().manual_seed(0)).view.values.shape
    torch.Size([2, 1, 16, 16])
    """
    sides = view.values.shape[2:]
    cells = [side // tiles for side in sides]
    if min(cells) <= gap:
        raise UsageError(
            f"jigsaw: tiles of {min(cells)} voxels have nothing left beside a gap of {gap}; "
            "lower `tiles` or `gap`."
        )
    device, count = view.values.device, len(view.values)
    table = torch.tensor(unlike_permutations(tiles ** len(sides), orders), device=device)
    classes = torch.randint(len(table), (count,), generator=generator, device=device)
    shape = (count, tiles ** len(sides), len(sides))
    moves = torch.randint(gap + 1, shape, generator=generator, device=device)
    source, is_tile = _source(sides, tiles, gap, table[classes], moves)
    values = view.values.flatten(2).gather(2, source.expand(-1, view.values.shape[1], -1)) * is_tile
    masks = view.masks.flatten(2).gather(2, source) & is_tile
    moved = View(values.view(view.values.shape), masks.view(view.masks.shape))
    return Classed(moved, classes)


def _source(sides: torch.Size, tiles: int, gap: int, order: Tensor, moves: Tensor) -> tuple[Tensor, Tensor]:
    """Say from where each voxel comes, (B, 1, N) positions in a flat item, and whether it is of a tile."""
    n_axes, device = len(sides), order.device
    place = torch.zeros((), dtype=torch.int64, device=device)
    inside, is_tile = [], torch.ones((), dtype=torch.bool, device=device)
    for axis, side in enumerate(sides):
        across = [-1 if one == axis else 1 for one in range(n_axes)]
        cell = side // tiles
        voxels = torch.arange(side, device=device).view(across)
        place = place * tiles + (voxels // cell).clamp_max(tiles - 1)
        inside.append(voxels % cell - gap // 2)
        is_tile = is_tile & (inside[-1] >= 0) & (inside[-1] < cell - gap) & (voxels < tiles * cell)
    taken = order.gather(1, place.reshape(1, -1).expand(len(order), -1)).view(len(order), *sides)
    source = torch.zeros_like(taken)
    for axis, side in enumerate(sides):
        number = taken // tiles ** (n_axes - 1 - axis) % tiles
        move = moves[:, :, axis].gather(1, taken.flatten(1)).view_as(taken)
        source = source * side + (number * (side // tiles) + move + inside[axis]).clamp(0, side - 1)
    return source.flatten(1)[:, None], is_tile.reshape(1, 1, -1)
