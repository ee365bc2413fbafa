"""Local outlier factor."""

from typing import Any

from pydantic import Field

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class LOFConfig(OutlierConfig):
    """Parameters of the local outlier factor."""

    n_neighbors: int = Field(
        20, ge=1, description="healthy rows whose density is compared; at most all others"
    )


@register(
    "lof",
    family="outlier",
    dims=(2, 3),
    paper="Breunig et al. (2000), LOF: identifying density-based local outliers. SIGMOD.",
    limit="With fewer healthy rows than a few times the neighbours the density means little.",
)
class LOF(OutlierScore):
    """How much sparser the healthy rows lie around this one than around its neighbours."""

    Config = LOFConfig
    config: LOFConfig

    def _named(self) -> tuple[str, dict[str, Any]]:
        return "lof", {"n_neighbors": min(self.config.n_neighbors, len(self.rows_) - 1)}
