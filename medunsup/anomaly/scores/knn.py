"""Distance to healthy neighbours."""

from typing import Literal

from pydantic import Field

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class KNNConfig(OutlierConfig):
    """Parameters of the neighbour distance."""

    n_neighbors: int = Field(5, ge=1, description="healthy neighbours")
    method: Literal["largest", "mean", "median"] = Field("largest", description="of their distances")


@register(
    "knn",
    family="outlier",
    dims=(2, 3),
    paper="Ramaswamy et al. (2000), Efficient algorithms for mining outliers from large data sets. SIGMOD.",
    limit="Where healthy scans differ much from one another, a lesion is no further away than they are.",
)
class KNN(OutlierScore):
    """Distance to the k-th nearest healthy row."""

    Config = KNNConfig
