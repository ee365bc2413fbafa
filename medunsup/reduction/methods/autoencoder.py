"""Autoencoder: the short code through which a network can tell rows again."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig, State

NETWORK = "network/"  # before the names of its weights in a state


class AutoencoderConfig(ReductionConfig):
    """Parameters of the autoencoder."""

    width: int = Field(64, ge=1, le=4096, description="units of each hidden layer")
    layers: int = Field(2, ge=1, le=8, description="hidden layers of the encoder, and of the decoder")
    epochs: int = Field(100, ge=1, description="passes over the rows")
    batch_size: int = Field(64, ge=1, description="rows in each step")
    learning_rate: float = Field(1e-3, gt=0, description="step size of Adam")
    seed: int = Field(0, ge=0, description="seed of the weights and of the order of the rows")


@register(
    "autoencoder",
    family="networks",
    dims=(2, 3),
    paper="Hinton & Salakhutdinov (2006), Reducing the dimensionality of data with neural networks. Science.",
    limit="Other seeds give other maps, and from few rows it learns little that pca does not show.",
)
class Autoencoder(Reduction):
    """A network of dense layers learns to give rows back through a code of few numbers.

    Axes have no order and no unit. Equal rows count as often as they occur. Numbers are float32 inside.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    width : int, default 64
        Units of each hidden layer.
    layers : int, default 2
        Hidden layers of the encoder, and of the decoder.
    epochs : int, default 100
        Passes over the rows.
    batch_size : int, default 64
        Rows in each step.
    learning_rate : float, default 0.001
        Step size of Adam.
    seed : int, default 0
        Seed of the weights and of the order of the rows.

    Attributes
    ----------
    error_ : float
        Mean squared error of the fitted rows, in squared standard deviations of the features.
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : None
        No share of variance is known of an axis.
    placement_ : str
        'exact': new rows are placed by the method itself.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import Autoencoder
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> Autoencoder(width=8, epochs=2).fit_transform(rows).shape
    (40, 2)
    """

    Config = AutoencoderConfig
    error_: float
    _learned = ("error_",)

    def __init__(
        self,
        *,
        n_components: int = 2,
        standardize: bool = True,
        width: int = 64,
        layers: int = 2,
        epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_components, self.standardize = n_components, standardize
        self.width, self.layers = width, layers
        self.epochs, self.batch_size, self.learning_rate = epochs, batch_size, learning_rate
        self.seed = seed

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows and the weights among them.
        """
        weights = {NETWORK + name: value for name, value in self._network.state().items()}
        return {**super().state(), **weights}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Autoencoder
            This method, fitted.
        """
        super().load_state(state)
        weights = {
            name.removeprefix(NETWORK): value for name, value in state.items() if name.startswith(NETWORK)
        }
        self._network = _network(self.Config(**self.get_params()))
        self._network.load_state(weights, (1, self.n_features_in_, 1, 1))
        return self

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        self._network = _network(config)
        self.error_ = self._network.learn(np.repeat(rows, counts, axis=0))
        return self._each(rows)

    def _place(self, row: Floats) -> Floats:
        return self._network.code(row)


def _network(config: AutoencoderConfig) -> Any:
    from medunsup.reduction.autoencoder_network import RowAutoencoder

    return RowAutoencoder(config)
