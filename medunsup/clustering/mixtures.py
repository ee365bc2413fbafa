"""Clusters as Gaussians of a mixture."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.clustering.base import Clustering, ClusteringConfig, Floats, Labels
from medunsup.clustering.stored import State

MODEL = "mixture."  # before the names of scikit-learn's own attributes


class MixtureConfig(ClusteringConfig):
    """Parameters that mixtures share."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    n_init: int = Field(3, ge=1, description="starts; the one with the highest likelihood is kept")
    covariance_type: Literal["full", "tied", "diag", "spherical"] = Field(
        "diag",
        description="shape of clusters: any, one for all, along the features, round; 'full' needs many more "
        "rows than features",
    )
    regularisation: float = Field(
        1e-3, ge=0, description="added to each variance, as a share of the features' mean variance"
    )
    max_iter: int = Field(200, ge=1, description="largest number of iterations of a start")


class Mixture(Clustering):
    """Base of mixtures of Gaussians: shares are posterior probabilities."""

    _learned = ("_middle", "_spread")

    def _model(self, n_clusters: int, config: Any) -> Any:
        """Return scikit-learn's model, not fitted."""
        raise NotImplementedError

    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        from sklearn.exceptions import ConvergenceWarning

        # Units change nothing: the model sees rows of mean variance 1.
        self._middle = rows.mean(axis=0)
        spread = float(np.sqrt(rows.var(axis=0).mean()))
        self._spread = spread if spread > 0 else 1.0
        self._mixture = self._model(n_clusters, config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._mixture.fit(self._scaled(rows))
        if not self._mixture.converged_:
            self._remark(f"The mixture did not converge in {config.max_iter} iterations.")
        labels: Labels = self._soft(rows).argmax(axis=1)
        return labels

    def _soft(self, rows: Floats) -> Floats:
        shares: Floats = self._mixture.predict_proba(self._scaled(rows))
        return shares

    def _scaled(self, rows: Floats) -> Floats:
        return (rows - self._middle) / self._spread

    def state(self) -> State:
        """Return all that was learned as arrays by name, scikit-learn's model among it.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows among them.
        """
        fitted = {name: of for name, of in vars(self._mixture).items() if name.endswith("_")}
        return super().state() | {f"{MODEL}{name}": np.asarray(of) for name, of in fitted.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Mixture
            This method, fitted.
        """
        super().load_state(state)
        config = self.Config.parse(self.get_params(), type(self).__name__)
        self._mixture = self._model(len(state[f"{MODEL}weights_"]), config)
        for name in (key for key in state if key.startswith(MODEL)):
            of = np.asarray(state[name])
            setattr(self._mixture, name.removeprefix(MODEL), of if of.ndim else of.item())
        return self

    @property
    def n_iter_(self) -> int:
        """Iterations of the start that is kept."""
        return int(self._mixture.n_iter_)

    @property
    def weights_(self) -> Floats:
        """Weights (K,) of the Gaussians, in the order of the labels; those without a row are left out."""
        weights: Floats = self._mixture.weights_[self._columns]
        return weights
