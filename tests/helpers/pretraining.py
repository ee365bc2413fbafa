"""Every registered pretraining method, small enough to be trained in a moment."""

from typing import Any

from medunsup.core.registry import method, methods
from medunsup.selfsupervised.base import SelfSupervised

SMALL: dict[str, Any] = {"epochs": 2, "batch_size": 6, "learning_rate": 3e-3}
METHODS = [(card.name, dims) for card in methods("selfsupervised") for dims in card.dims]


def make(name: str, dims: int, **parameters: Any) -> SelfSupervised:
    """Make an unfitted method."""
    kind = method("selfsupervised", name)
    return kind(kind.Config.parse({**SMALL, "dims": dims, **parameters}))
