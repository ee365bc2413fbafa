"""What is watched while representations are learned: the figures of one epoch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.errors import ArrayError
from medunsup.metrics.representation import (
    alignment,
    effective_rank,
    entropy,
    feature_std,
    occupancy,
    uniformity,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Monitors:
    """Figures of one epoch, all of the same items; None where a method has no such thing.

    Attributes
    ----------
    epoch : int
        The epoch that was just done; 0 before the first.
    loss : float or None
        Its mean loss, None before the first.
    feature_std : float
        Spread of the encoder's features, see `medunsup.metrics.representation.feature_std`.
    feature_rank : float
        Effective rank of the features scaled to length 1.
    zero_share : float
        Share of items whose features are all 0.
    embedding_std : float or None
        Spread of the embeddings, which the loss sees.
    embedding_rank : float or None
        Effective rank of the embeddings scaled to length 1.
    alignment : float or None
        Squared distance of two views of an item, as a share of that of views of different items: 0 if views
        are recognised, 1 if they have nothing to do with each other.
    teacher_entropy : float or None
        Mean entropy of the teacher's probabilities as a share of that of uniform ones.
    prototypes_used : float or None
        Share of the prototypes in use, of those that so many items can use.
    uniformity : float or None
        How evenly features cover the sphere, see `medunsup.metrics.representation.uniformity`.
    distinct_views : float or None
        Share of views that differ from all others, among those made of copies of one item in this epoch and
        the last: 1 where augmentations are drawn afresh each time.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised.monitors import Monitors
    >>> rows = np.random.default_rng(0).normal(size=(64, 16))
    >>> seen = Monitors.of(1, 0.5, rows, embeddings=(rows, rows))
    >>> round(seen.feature_std, 1), seen.alignment
    (1.0, 0.0)
    """

    epoch: int
    loss: float | None
    feature_std: float
    feature_rank: float
    zero_share: float
    embedding_std: float | None = None
    embedding_rank: float | None = None
    alignment: float | None = None
    teacher_entropy: float | None = None
    prototypes_used: float | None = None
    uniformity: float | None = None
    distinct_views: float | None = None

    @classmethod
    def of(
        cls,
        epoch: int,
        loss: float | None,
        features: ArrayLike,
        *,
        embeddings: tuple[ArrayLike, ArrayLike] | None = None,
        teacher: ArrayLike | None = None,
        copies: ArrayLike | None = None,
    ) -> "Monitors":
        """Measure what an epoch made.

        Parameters
        ----------
        epoch : int
            The epoch that was just done; 0 before the first.
        loss : float or None
            Its mean loss, None before the first.
        features : array-like
            The encoder's features (N, D) of some items, always the same, which need not be trained on.
        embeddings : tuple of array-like, optional
            Embeddings (N, P) of two augmented views of them.
        teacher : array-like, optional
            The teacher's probabilities (N, K) of them.
        copies : array-like, optional
            Views (M, ...) of copies of one item, as training makes them, of this epoch and the last.

        Returns
        -------
        Monitors
            The figures.

        Raises
        ------
        ArrayError
            If features, embeddings or probabilities are not (N, D) with N of at least 2.
        """
        rows = np.asarray(features, dtype=np.float64)
        if rows.ndim != 2:
            raise ArrayError(f"features are an array (N, D), not {rows.shape}")
        first = None if embeddings is None else np.asarray(embeddings[0], dtype=np.float64)
        return cls(
            epoch,
            loss,
            feature_std(rows),
            effective_rank(_unit(rows)),
            float((rows == 0).all(axis=1).mean()),
            None if first is None else feature_std(first),
            None if first is None else effective_rank(_unit(first)),
            None if embeddings is None else _relative_alignment(*embeddings),
            None if teacher is None else entropy(teacher),
            None if teacher is None else occupancy(teacher),
            uniformity(rows),
            None if copies is None else _distinct(np.asarray(copies)),
        )


def _relative_alignment(first: ArrayLike, second: ArrayLike) -> float:
    one, two = (_unit(np.asarray(rows, dtype=np.float64)) for rows in (first, second))
    together = alignment(one, two)
    lengths = np.square(one).sum(axis=1).mean() + np.square(two).sum(axis=1).mean()
    all_pairs = lengths - 2 * one.mean(axis=0) @ two.mean(axis=0)
    apart = (len(one) * all_pairs - together) / (len(one) - 1)
    return float(together / apart) if apart > 1e-12 or np.isnan(apart) else 1.0


def _distinct(copies: NDArray[np.generic]) -> float:
    """Share of rows that occur once."""
    _, counts = np.unique(copies.reshape(len(copies), -1), axis=0, return_counts=True)
    return float((counts == 1).sum() / len(copies))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths == 0, 1, lengths)
