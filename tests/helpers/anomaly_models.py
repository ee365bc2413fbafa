"""Every registered anomaly model, small enough to be trained in a moment, and all that it says of a scan."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from helpers.small_brains import small_brains
from medunsup.anomaly.base import AnomalyModel, offers
from medunsup.anomaly.deep import DeepModel
from medunsup.core.registry import method, methods

SMALL: dict[str, Any] = {
    "channels": 4,
    "levels": 2,
    "epochs": 2,
    "batch_size": 16,
    "latent_dim": 8,
    "learning_rate": 3e-3,
    "restore_steps": 3,
}
EACH_VOXEL = ("reconstruct", "restore", "gradient")
CASES = [(card.name, dims) for card in methods("anomaly") for dims in card.dims]
DEEP = [case for case in CASES if issubclass(method("anomaly", case[0]), DeepModel)]
# Dimensions are a parameter of deep models alone.
CLASSIC = sorted({name for name, dims in CASES if (name, dims) not in DEEP})
every_model = pytest.mark.parametrize(("name", "dims"), DEEP + [(name, 3) for name in CLASSIC])


def make(name: str, dims: int, **parameters: Any) -> AnomalyModel:
    """Make an unfitted model; parameters it does not have are left out."""
    kind = method("anomaly", name)
    wanted = SMALL | {"dims": dims} | parameters
    known = {key: value for key, value in wanted.items() if key in kind.Config.model_fields}
    if (name, dims) not in DEEP:
        known = {key: value for key, value in known.items() if key in parameters}
    return kind(kind.Config.parse(known))


@cache
def fitted(name: str, dims: int, channels: int = 1) -> AnomalyModel:
    """Train one on small brains."""
    return make(name, dims).fit(small_brains(channels=channels))


def looks(model: AnomalyModel, values: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Give all that a model offers of a scan, by name."""
    found = {offer: getattr(model, offer)(values, mask) for offer in offers(model) - {"sample"}}
    if "sample" in offers(model):
        found |= {f"sample {n}": look for n, look in enumerate(model.sample(values, mask, n=2, seed=0))}
    return found


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Name the arrays that are not the same to the last bit."""
    assert one.keys() == other.keys()
    return [key for key in one if not np.array_equal(one[key], other[key])]
