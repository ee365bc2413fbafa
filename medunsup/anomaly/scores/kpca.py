"""Kernel principal components."""

from pydantic import Field

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class KPCAConfig(OutlierConfig):
    """Parameters of the kernel principal components."""

    n_rows: int = Field(
        1_000, ge=10, le=10_000, description="healthy patches kept: memory and time grow squared"
    )
    stride: int = Field(4, ge=1, le=8, description="patches lie so many voxels apart, linear in between")
    n_components: int | None = Field(None, ge=1, description="components kept; none: all")
    gamma: float | None = Field(None, gt=0, description="of the Gaussian kernel; none: one over the features")


@register(
    "kpca",
    family="outlier",
    dims=(2, 3),
    paper="Hoffmann (2007), Kernel PCA for novelty detection. Pattern Recognition.",
    limit="The kernel's width decides, and a distance beyond a few widths all looks alike. With all "
    "components the rows learned from score 0: only other healthy scans tell what is usual.",
)
class KPCA(OutlierScore):
    """What is left of a row after projection on the healthy rows' kernel components."""

    Config = KPCAConfig
