"""What methods share whose network gives shares of clusters."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin

from medunsup.clustering.base import Clustering, Floats, Labels
from medunsup.clustering.stored import State, part_of

VALUES_AT_ONCE = 250_000  # of rows that a network sees together: some 320 images of 28 x 28
NETWORK = "network/"  # before the names of its weights in a state


class ShareNetwork(TransformerMixin, Clustering):
    """Base of methods whose network takes values (N, d) to shares of clusters (N, K).

    Features that vary are brought to mean 0 and standard deviation 1, as they were in the fit. Shares are
    computed in float64, so that a row has the same alone as among others.
    """

    _learned: ClassVar[tuple[str, ...]] = ("_used", "_middle", "_spread", "loss_curve_")
    _more_attributes: ClassVar[str] = """
loss_curve_ : ndarray of shape (E,)
    Loss of each epoch, or of each step."""
    loss_curve_: Floats

    @abstractmethod
    def _network(self, n_features: int, n_clusters: int, config: Any) -> Any:
        """Return the module from values (B, D) to log shares (B, K), its weights not yet drawn."""

    @abstractmethod
    def _learn(self, network: Any, values: Any, config: Any, generator: Any) -> list[float]:
        """Draw and learn the weights from values (N, D), float32; return the loss of each epoch."""

    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        self._scale(rows)
        self._n_columns, self.loss_curve_ = n_clusters, np.empty(0)
        if n_clusters == 1:
            return np.zeros(len(rows), np.int64)
        self._learn_network(rows, n_clusters, config)
        return self._clusters(rows, n_clusters, config)

    def _clusters(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        """Return the column of each row, once the network is learned."""
        labels: Labels = self._soft(rows).argmax(axis=1)
        self._tell_collapse(labels, n_clusters)
        return labels

    def _learn_network(self, rows: Floats, n_clusters: int, config: Any) -> None:
        """Make and learn the network by the seed alone, what encoders draw by themselves too."""
        import torch

        values = torch.from_numpy(self._values(rows)).float()
        generator = torch.Generator().manual_seed(config.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self._net = self._network(values.shape[1], n_clusters, config)
            curve = self._learn(self._net, values, config, generator)
        self.loss_curve_ = np.asarray(curve, np.float64)
        self._net.double().eval()

    def _scale(self, rows: Floats) -> None:
        """Keep which features vary, their means and standard deviations."""
        self._used = np.flatnonzero(np.ptp(rows, axis=0) > 0)
        used = rows[:, self._used]
        self._middle, self._spread = used.mean(axis=0), used.std(axis=0)

    def _tell_collapse(self, labels: Labels, n_clusters: int) -> None:
        used = len(np.unique(labels))
        if used == 1:
            self._remark(f"Collapsed: all rows are in one of {n_clusters} clusters. {self._remedy()}")
        elif used < n_clusters:
            self._remark(f"{n_clusters - used} of {n_clusters} clusters hold no row. {self._remedy()}")

    def _remedy(self) -> str:
        """Return which knob to turn if clusters die."""
        return "Try another seed, or fewer clusters."

    def _values(self, rows: Floats) -> Floats:
        return (rows[:, self._used] - self._middle) / self._spread

    def _soft(self, rows: Floats) -> Floats:
        if self._n_columns == 1:
            return np.ones((len(rows), 1))
        shares = np.exp(self._by_network(self._net, rows))
        return shares / shares.sum(axis=1, keepdims=True)

    def _by_network(self, network: Any, rows: Floats) -> Floats:
        """Return what a network gives for rows (N, D), some at a time, so that many images fit in memory."""
        import torch

        size = max(1, VALUES_AT_ONCE // max(1, rows.shape[1]))
        with torch.no_grad():
            parts = [
                network(torch.from_numpy(self._values(rows[start : start + size]))).numpy()
                for start in range(0, len(rows), size)
            ]
        return np.concatenate(parts)

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows and the weights among them.
        """
        found = {**super().state(), "n_columns": np.asarray(self._n_columns)}
        if self._n_columns > 1:
            found |= {NETWORK + name: value.numpy() for name, value in self._net.state_dict().items()}
        return found

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Clustering
            This method, fitted.
        """
        import torch

        super().load_state(state)
        self._n_columns = int(state["n_columns"])
        if self._n_columns > 1:
            config = self.Config.parse(self.get_params(), type(self).__name__)
            self._net = self._network(len(self._used), self._n_columns, config).double().eval()
            weights = part_of(state, NETWORK)
            self._net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
        return self
