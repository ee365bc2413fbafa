"""K-means on intensity."""

from typing import Any

from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod, Values, hard_clusters, one_hot


class KMeansConfig(TextbookConfig):
    """Parameters of k-means."""

    n_init: int = Field(4, ge=1, description="starts; the one with the least inertia is kept")


@register(
    "kmeans",
    family="clustering",
    dims=(2, 3),
    paper="Arthur and Vassilvitskii (2007), k-means++: the advantages of careful seeding. SODA.",
    limit="Clusters of equal width: a small class such as CSF borrows voxels from its neighbour; "
    "the probabilities are 0 and 1.",
)
class KMeans(TextbookMethod):
    """K-means with k-means++ seeds."""

    Config = KMeansConfig
    config: KMeansConfig

    def _fit(self, sample: Values, n_classes: int) -> Fitted:
        from sklearn.cluster import KMeans as Model

        model = Model(
            n_classes,
            init="k-means++",
            n_init=self.config.n_init,
            max_iter=self.config.max_iter,
            random_state=self.config.seed,
        )
        return hard_clusters(model.fit(sample), sample, n_classes)

    def _probabilities(self, model: Any, values: Values) -> Values:
        return one_hot(model, values)
