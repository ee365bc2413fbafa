"""InfoGAN: items made of codes that can be told from them again."""

from typing import Any

from pydantic import Field
from sklearn.utils.validation import check_is_fitted

from medunsup.clustering.base import Floats
from medunsup.clustering.deep.makes_items import MakesItems
from medunsup.clustering.deep.on_images import OnImagesConfig
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register


class InfoGANConfig(OnImagesConfig):
    """Parameters of infogan."""

    noise: int = Field(
        16, ge=1, le=10_000, description="numbers that an item is made of and that mean nothing"
    )
    codes: int = Field(2, ge=1, le=100, description="numbers in [-1, 1] that are to mean something")
    information: float = Field(1.0, ge=0, description="weight of telling the codes again")
    epochs: int = Field(60, ge=1, description="passes over the items")


@register(
    "infogan",
    family="deep",
    dims=(2, 3),
    paper="Chen, Duan, Houthooft, Schulman, Sutskever and Abbeel (2016), InfoGAN: interpretable "
    "representation learning by information maximizing generative adversarial nets. NeurIPS.",
    limit="A code may stand for style and not for a group, and what is never made is clustered by chance.",
)
class InfoGAN(MakesItems):
    """Items are made of noise, a cluster and some numbers, which a second network tells from the item again.

    That network also tells real items from made ones. Real items get the cluster that it reads from them.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import InfoGAN
    >>> images = np.random.default_rng(0).normal(size=(12, 8, 8))
    >>> InfoGAN(n_clusters=2, epochs=1).fit(images).predict_proba(images[:3]).shape[0]
    3
    """

    Config = InfoGANConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        noise: int = 16,
        codes: int = 2,
        information: float = 1.0,
        epochs: int = 60,
        width: int = 64,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.seed = n_clusters, seed
        self.noise, self.codes, self.information, self.epochs = noise, codes, information, epochs
        self.width, self.encoder, self.encoder_parameters = width, encoder, encoder_parameters
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def _network(self, n_features: int, n_clusters: int, config: InfoGANConfig) -> Any:
        from medunsup.clustering.deep.infogan_learning import Network

        return Network(self._body(config), self._shape(), n_clusters, config)

    def _learn(self, network: Any, values: Any, config: InfoGANConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.infogan_learning import learn

        return learn(network, values, config, generator)

    def traverse(self, code: int, *, cluster: int = 0, steps: int = 9, seed: int = 0) -> Floats:
        """Make items of one cluster that differ in one code alone.

        Parameters
        ----------
        code : int
            Which code moves from -1 to 1, from 0 on.
        cluster : int, default 0
            Cluster of the items, as `labels_` counts.
        steps : int, default 9
            How many items, 1 or more.
        seed : int, default 0
            Seed of the noise, which all items share.

        Returns
        -------
        ndarray of shape (steps, D), or of images
            Items of the form that was fitted, in its units.

        Raises
        ------
        ArrayError
            If there is no such code or cluster.
        """
        check_is_fitted(self, "labels_")
        if not 0 <= code < self.codes or not 0 <= cluster < self.n_clusters_:
            raise ArrayError(
                f"Code {code} of cluster {cluster} was asked: there are {self.codes} codes and "
                f"{self.n_clusters_} clusters, from 0 on."
            )
        column = int(self._columns[cluster])
        return self._made(lambda generator: self._net.traversal(column, code, steps, generator), seed)
