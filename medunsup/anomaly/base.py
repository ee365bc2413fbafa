"""What a model of healthy scans is and what it may offer; what a score is and what it needs."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.training.scan_stack import Array, Mask, Scans

State = dict[str, NDArray[Any]]


class AnomalyModel(ABC):
    """Base of models: learns what healthy scans look like.

    A model offers what it has the method for, and a score names what it needs: `reconstruct` (pseudo-healthy
    reconstruction), `sample` (several of these), `encode` (codes), `restore` (nearest likely scan),
    `gradient` (of the divergence from the prior), `deviation` (a map of its own). One scan is `values` (C, I,
    J, K) and `mask` (I, J, K).

    Parameters
    ----------
    config : Config, optional
        Parameters of the model, an instance of its class's `Config`; the defaults if not given.

    Examples
    --------
    A model that offers a `deviation`:

    >>> import numpy as np
    >>> from medunsup.anomaly import AnomalyModel, Scans
    >>> class Mean(AnomalyModel):
    ...     def fit(self, scans, *, validation=None, training=None):
    ...         self.mean_ = scans.values.mean(axis=0)
    ...         return self
    ...     def deviation(self, values, mask):
    ...         return np.abs(values - self.mean_).mean(axis=0) * mask
    ...     def state(self):
    ...         return {"mean": self.mean_}
    ...     def load_state(self, state, shape):
    ...         self.mean_ = state["mean"]
    ...         return self
    >>> from medunsup.anomaly import DeepConfig
    >>> healthy = Scans.of_arrays(np.ones((3, 4, 4, 4)))
    >>> float(Mean(DeepConfig()).fit(healthy).deviation(healthy.values[0] + 1, healthy.masks[0]).max())
    1.0
    """

    Config: ClassVar[type[Config]]
    method_name: ClassVar[str]

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()

    @abstractmethod
    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Any = None) -> Self:
        """Learn from healthy scans.

        Parameters
        ----------
        scans : Scans
            Healthy scans on one grid.
        validation : Scans, optional
            Healthy scans that decide when to stop early; classic models ignore them.
        training : Training, optional
            Where and how a network is trained; classic models ignore it.

        Returns
        -------
        AnomalyModel
            This model, fitted.
        """

    @abstractmethod
    def state(self) -> State:
        """Return everything learned, as named arrays: what is stored as safetensors.

        Returns
        -------
        dict of str to ndarray
            Arrays by name.
        """

    @abstractmethod
    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Take over what `state` gave.

        Parameters
        ----------
        state : dict of str to ndarray
            Named arrays.
        shape : tuple of int
            Channels and grid (C, I, J, K) that it was learned on.

        Returns
        -------
        AnomalyModel
            This model, fitted.
        """


def check_mask(mask: Mask, owner: str) -> None:
    """Raise InputError if there is no voxel to judge: nothing found there would read as healthy."""
    if not mask.any():
        raise InputError(
            f"{owner}: the mask is empty, so nothing of the scan can be judged. Give another mask."
        )


def part_of(state: Mapping[str, NDArray[Any]], owner: str) -> State:
    """Pick the arrays named "owner/...", with their own names."""
    return {name.partition("/")[2]: value for name, value in state.items() if name.startswith(f"{owner}/")}


def joined(states: Mapping[str, State]) -> State:
    """Lay the states of several owners into one: what `part_of` picks from."""
    return {f"{owner}/{name}": value for owner, state in states.items() for name, value in state.items()}


@runtime_checkable
class Reconstructs(Protocol):
    """Offers the pseudo-healthy reconstruction of a scan."""

    def reconstruct(self, values: Array, mask: Mask) -> Array:
        """Return (C, I, J, K), 0 outside the mask."""
        ...


@runtime_checkable
class Samples(Protocol):
    """Offers several pseudo-healthy reconstructions."""

    def sample(self, values: Array, mask: Mask, *, n: int, seed: int) -> Array:
        """Return (n, C, I, J, K)."""
        ...


@runtime_checkable
class Encodes(Protocol):
    """Offers coordinates of a scan in a space that holds healthy ones."""

    def encode(self, values: Array, mask: Mask) -> Array:
        """Return (P, D): one row a part of the scan (a slice, a patch) or a single one for the whole."""
        ...


@runtime_checkable
class Restores(Protocol):
    """Offers the nearest likely scan (maximum a posteriori)."""

    def restore(self, values: Array, mask: Mask) -> Array:
        """Return (C, I, J, K), 0 outside the mask."""
        ...


@runtime_checkable
class Gradients(Protocol):
    """Offers how the divergence from the prior changes with each voxel."""

    def gradient(self, values: Array, mask: Mask) -> Array:
        """Return the derivative (C, I, J, K) of the Kullback-Leibler term."""
        ...


@runtime_checkable
class Deviates(Protocol):
    """Offers a map of its own, where no reconstruction stands behind it."""

    def deviation(self, values: Array, mask: Mask) -> Array:
        """Return (I, J, K), higher is less healthy, 0 outside the mask."""
        ...


OFFERS: dict[str, type] = {
    "reconstruct": Reconstructs,
    "sample": Samples,
    "encode": Encodes,
    "restore": Restores,
    "gradient": Gradients,
    "deviation": Deviates,
}


def offers(model: object) -> frozenset[str]:
    """Name what a model (or its class) has the methods for."""
    return frozenset(name for name in OFFERS if callable(getattr(model, name, None)))


class Score(ABC):
    """Base of scores: turns what a model offers into numbers; higher is more anomalous.

    A score gives a map (`map`, if `makes_map`) and a number for the scan (`scan_score`). `needs` names what
    the model must offer; with no needs the model may be None. Ask the instance: both can follow from its
    config. `fit` sees healthy scans that the model was trained on and keeps only statistics in `state`.

    Parameters
    ----------
    config : Config, optional
        Parameters of the score, an instance of its class's `Config`; the defaults if not given.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.anomaly import DeepConfig, Score
    >>> class Brightness(Score):
    ...     needs = ()
    ...     def map(self, model, values, mask):
    ...         return values[0] * mask
    >>> score = Brightness(DeepConfig())
    >>> values, mask = np.ones((1, 4, 4, 4)), np.ones((4, 4, 4), bool)
    >>> score.scan_score(None, values, mask, score.map(None, values, mask))
    1.0
    """

    Config: ClassVar[type[Config]]
    method_name: ClassVar[str]
    needs: tuple[str, ...] = ("reconstruct",)
    makes_map: bool = True

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()

    def fit(self, model: Any, scans: Scans) -> Self:
        """Learn what is usual from healthy scans; most scores need nothing.

        Parameters
        ----------
        model : AnomalyModel or None
            The fitted model.
        scans : Scans
            Healthy scans that it was trained on.

        Returns
        -------
        Score
            This score, fitted.
        """
        return self

    def map(self, model: Any, values: Array, mask: Mask) -> Array:
        """Return the raw score map of one scan.

        Parameters
        ----------
        model : AnomalyModel or None
            The fitted model.
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray of shape (I, J, K), float32
            Score of each voxel, 0 outside the mask.
        """
        raise NotImplementedError

    def scan_score(self, model: Any, values: Array, mask: Mask, score_map: Array | None) -> float:
        """Return one number for the scan: the mean of its most anomalous 1 %, unless overridden.

        Parameters
        ----------
        model : AnomalyModel or None
            The fitted model.
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.
        score_map : ndarray of shape (I, J, K) or None
            Its score map, if the score makes one.

        Returns
        -------
        float
            Scan-level score.
        """
        if score_map is None:
            raise NotImplementedError
        return top_mean(score_map[mask])

    def state(self) -> State:
        """Return everything learned, as named arrays; most scores learn nothing.

        Returns
        -------
        dict of str to ndarray
            Arrays by name.
        """
        return {}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave.

        Parameters
        ----------
        state : dict of str to ndarray
            Named arrays.

        Returns
        -------
        Score
            This score, fitted.
        """
        return self


def top_mean(scores: NDArray[np.floating], share: float = 0.01) -> float:
    """Mean of the highest `share` of scores, at least one of them."""
    count = max(1, round(share * scores.size))
    return float(np.partition(scores, scores.size - count)[-count:].mean()) if scores.size else 0.0
