"""Methods that learn codes first, and then give them to another clustering method."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Clustering, Floats, Labels
from medunsup.clustering.deep.on_images import OnImages
from medunsup.clustering.stored import State, part_of

WITHIN = "within/"  # before the names of the other method's arrays in a state


class OnCodes(OnImages):
    """Base of methods whose clusters are those of `_within` among what `_codes` gives.

    The network `_net` holds what was learned of the codes; its columns are those of `_within`.
    """

    _within: Clustering

    @abstractmethod
    def _new_within(self, n_clusters: int, config: Any) -> Clustering:
        """Return the method that finds clusters among codes, not yet fitted."""

    @abstractmethod
    def _codes(self, rows: Floats) -> Floats:
        """Return codes (M, c) of rows, each by itself."""

    def _clusters(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        codes = self._learn_codes(rows, n_clusters, config)
        self._within = self._new_within(n_clusters, config).fit(codes)
        self._n_columns = self._within.n_clusters_
        for text in self._within.remarks_:
            self._remark(text)
        return np.asarray(self._within.labels_)

    def _learn_codes(self, rows: Floats, n_clusters: int, config: Any) -> Floats:
        """Learn what lies between the network and the codes, if anything; return the rows' codes."""
        return self._codes(rows)

    def _soft(self, rows: Floats) -> Floats:
        if self._n_columns == 1:
            return np.ones((len(rows), 1))
        return self._within.predict_proba(self._codes(rows))

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows, the weights and the other method among them.
        """
        found = super().state()
        if self._n_columns > 1:
            found |= {WITHIN + name: value for name, value in self._within.state().items()}
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
        super().load_state(state)
        if self._n_columns > 1:
            config = self.Config.parse(self.get_params(), type(self).__name__)
            self._within = self._new_within(self._n_columns, config).load_state(part_of(state, WITHIN))
        return self
