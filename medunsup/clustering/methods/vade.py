"""A variational autoencoder whose prior is a mixture of Gaussians."""

from typing import Any

from pydantic import Field
from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.base import Floats
from medunsup.clustering.deep.coded import Coded, CodedConfig
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register


class VaDEConfig(CodedConfig):
    """Parameters of vade."""

    epochs: int = Field(100, ge=1, description="passes over the items, after the autoencoder's")


@register(
    "vade",
    family="deep",
    dims=(2, 3),
    paper="Jiang, Zheng, Tan, Tang and Zhou (2017), Variational deep embedding. IJCAI.",
    limit="Other seeds give other clusters, more so than of other methods: average over seeds.",
)
class VaDE(Coded):
    """Learn a variational autoencoder and the mixture that its codes come from, together.

    Begins with an autoencoder and a mixture of Gaussians among its codes. Shares of a row are those that make
    the evidence lower bound largest, in closed form. Shares of the prior and standard deviations are kept
    within bounds, and the spread of the items about what is made of their codes is learned.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import VaDE
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> VaDE(n_clusters=2, epochs=1, pretrain_epochs=1).fit(rows).transform(rows).shape
    (12, 10)
    """

    Config = VaDEConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        epochs: int = 100,
        pretrain_epochs: int = 100,
        width: int = 256,
        code: int = 10,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        scale: str = "each",
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.seed = n_clusters, seed
        self.epochs = epochs
        self.pretrain_epochs, self.width, self.code = pretrain_epochs, width, code
        self.encoder, self.encoder_parameters = encoder, encoder_parameters
        self.batch_size, self.learning_rate, self.scale = batch_size, learning_rate, scale

    def _network(self, n_features: int, n_clusters: int, config: VaDEConfig) -> Any:
        from medunsup.clustering.deep.vade_learning import Network

        return Network(self._coder(config), n_clusters)

    def _learn(self, network: Any, values: Any, config: VaDEConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.vade_learning import learn

        return learn(network, values, config, generator)

    def sample(self, n: int, cluster: int, *, seed: int = 0) -> Floats:
        """Make new items of a cluster.

        Parameters
        ----------
        n : int
            How many, 1 or more.
        cluster : int
            Which cluster, as in `labels_`.
        seed : int, default 0
            Seed of the draws.

        Returns
        -------
        ndarray of shape (n, D), or of images
            Items of the form that was fitted, in its units: the means that are made of codes.

        Raises
        ------
        ArrayError
            If there is no such cluster, or but one.
        """
        check_is_fitted(self, "labels_")
        if self._n_columns == 1 or not 0 <= cluster < self.n_clusters_:
            raise ArrayError(f"There is no learned cluster {cluster}. Ask for one of {self.n_clusters_}.")
        import torch

        with torch.no_grad():
            generator = torch.Generator().manual_seed(seed)
            return self._images(self._net.draw(n, int(self._columns[cluster]), generator))
