"""Which rows of a batch are negatives of one another, and how alike rows are."""

import torch
from torch import Tensor
from torch.nn import functional

TINY, TINY_SQUARE = 1e-8, 1e-12


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """Cosine similarity (A, B) of each row of (A, D) with each row of (B, D); that of a zero row is 0."""
    return functional.normalize(first, dim=1, eps=TINY) @ functional.normalize(second, dim=1, eps=TINY).T


def distance(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distance (A, B) of the rows scaled to length 1, in [0, 2]; its gradient at 0 is 0."""
    return (2 - 2 * cosine(first, second)).clamp(min=TINY_SQUARE).sqrt()


def negatives(n: int, subjects: Tensor | None, device: torch.device) -> Tensor:
    """Tell which of 2n rows (two views of n items, one after the other) are negatives: (2n, 2n) bool.

    Rows of other items are; with `subjects` (n,), those of other subjects alone.
    """
    of = torch.arange(n, device=device) if subjects is None else subjects.to(device)
    return of.repeat(2)[:, None] != of.repeat(2)


def positive_of(n: int, device: torch.device) -> Tensor:
    """Row (2n,) of the other view of each of 2n rows."""
    return torch.arange(2 * n, device=device).roll(n)
