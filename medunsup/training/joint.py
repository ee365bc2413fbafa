"""The gradient of a joint objective: its loss sees the embeddings of the whole batch.

Each process embeds its pieces and puts their rows among those of all others; all then compute the same loss
and its gradient by each row. With that gradient every piece goes back through the network, so no more than
one piece's graph is held at a time (Gao et al., Scaling deep contrastive learning batch size under memory
limited setup, 2021). A process with several pieces embeds each of them twice; its buffers show the first time
alone, and then the loss, as if the batch were one piece.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor

from medunsup.training.feed import Piece
from medunsup.training.learner import Embeddings, Loss, Objective
from medunsup.training.sharing import SharedBuffers, sum_of

Seeded = Callable[[int], torch.Generator]


def joint_gradient(
    fabric: Any,
    objective: Objective,
    pieces: Sequence[Piece],
    n_items: int,
    *,
    seeded: Seeded,
    last: int,
    buffers: SharedBuffers,
) -> Loss:
    """Add this process's part of the gradient to its parameters; return the loss of the whole batch.

    `seeded(n)` gives the random numbers of piece `n`, the same each time, and of the loss for `last`.
    """

    def embed(piece: Piece) -> Embeddings:
        assert objective.embed is not None
        buffers.restart()
        with fabric.autocast():
            made = objective.embed(piece.batch, seeded(piece.number))
        if any(len(rows) != len(piece.batch) for rows in made):
            sizes = [tuple(rows.shape) for rows in made]
            raise ValueError(
                f"{objective.name}: embed gives a row an item of {len(piece.batch)}, not {sizes}"
            )
        return made

    share = sum(piece.share for piece in pieces)
    one_graph = embed(pieces[0]) if len(pieces) == 1 else None
    start = None if one_graph else buffers.values()
    with torch.no_grad():
        own = [one_graph] if one_graph else list(_counted(embed, pieces, buffers))
        if not one_graph:
            buffers.settle(share)
        leaves = [
            _gathered(fabric, rows, pieces, n_items).requires_grad_(rows[0].is_floating_point())
            for rows in zip(*own, strict=True)
        ]
    with fabric.autocast():
        loss = objective.loss(tuple(leaves), seeded(last))
    fabric.backward(loss.total)
    if fabric.global_rank > 0:  # each process has all of the gradient of what the loss itself holds
        for parameter in objective.parameters():
            if parameter.grad is not None:
                parameter.grad.zero_()
    with nullcontext() if start is None else buffers.again_from(start):
        for piece in pieces:
            made = one_graph or embed(piece)
            slopes = [leaf.grad[_rows(piece)] if leaf.grad is not None else None for leaf in leaves]
            _go_back(made, slopes)
    buffers.add(share)
    return Loss(loss.total.detach(), loss.terms)


def _counted(
    embed: Callable[[Piece], Embeddings], pieces: Sequence[Piece], buffers: SharedBuffers
) -> Iterator[Embeddings]:
    for piece in pieces:
        yield embed(piece)
        buffers.add(piece.share)


def _rows(piece: Piece) -> slice:
    return slice(piece.first, piece.first + len(piece.batch))


def _gathered(fabric: Any, own: Sequence[Tensor], pieces: Sequence[Piece], n_items: int) -> Tensor:
    """Lay the rows of all pieces of all processes out in the batch's order; halves become whole floats."""
    kind = own[0].dtype
    if kind.is_floating_point:
        kind = torch.promote_types(kind, torch.float32)
    whole = torch.zeros((n_items, *own[0].shape[1:]), dtype=kind, device=own[0].device)
    for piece, rows in zip(pieces, own, strict=True):
        whole[_rows(piece)] = rows.detach().to(kind)
    return sum_of(fabric, whole).detach()


def _go_back(made: Embeddings, slopes: Sequence[Tensor | None]) -> None:
    pairs = [
        (tensor, slope.to(tensor.dtype))
        for tensor, slope in zip(made, slopes, strict=True)
        if slope is not None and tensor.requires_grad
    ]
    if pairs:
        tensors, gradients = zip(*pairs, strict=True)
        torch.autograd.backward(tensors, gradients)
