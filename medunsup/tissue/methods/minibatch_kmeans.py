"""K-means fitted on small random batches."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, hard_clusters, one_hot


class MiniBatchKMeansConfig(TextbookConfig):
    """Parameters of mini-batch k-means."""

    n_init: int = Field(4, ge=1, description="starts compared on a subset; the best is fitted")
    batch_size: int = Field(4_096, ge=64, description="voxels a batch")


@register(
    "minibatch_kmeans",
    family="clustering",
    dims=(2, 3),
    paper="Sculley (2010), Web-scale k-means clustering. WWW.",
    limit="Stops near, not at, the optimum of k-means; worth it only when voxels are very many.",
)
class MiniBatchKMeans(TextbookMethod):
    """K-means from mini-batches: less time, nearly the same clusters."""

    Config = MiniBatchKMeansConfig
    config: MiniBatchKMeansConfig

    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        from sklearn.cluster import MiniBatchKMeans as Model

        model = Model(
            n_classes,
            init="k-means++",
            n_init=self.config.n_init,
            batch_size=self.config.batch_size,
            max_iter=self.config.max_iter,
            random_state=self.config.seed,
        )
        return hard_clusters(model.fit(sample), sample, n_classes)

    def _probabilities(self, model: Any, values: Values) -> Values:
        return one_hot(model, values)
