"""Robust Mahalanobis distance."""

from pydantic import Field

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class MCDConfig(OutlierConfig):
    """Parameters of the minimum covariance determinant."""

    support_fraction: float | None = Field(
        None,
        gt=0,
        le=1,
        description="share of rows the covariance is taken from; none: the least that is robust",
    )


@register(
    "mcd",
    family="outlier",
    dims=(2, 3),
    paper="Rousseeuw and Van Driessen (1999), A fast algorithm for the minimum covariance determinant "
    "estimator. Technometrics.",
    limit="One ellipsoid for all healthy rows, and several times more rows than features are needed.",
)
class MCD(OutlierScore):
    """Squared Mahalanobis distance from the densest half of the healthy rows."""

    Config = MCDConfig
