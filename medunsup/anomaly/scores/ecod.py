"""Empirical cumulative distributions."""

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


@register(
    "ecod",
    family="outlier",
    dims=(2, 3),
    paper="Li et al. (2023), ECOD: unsupervised outlier detection using empirical cumulative distribution "
    "functions. IEEE Transactions on Knowledge and Data Engineering.",
    limit="Each feature stands alone, and the rows that are judged together count among the healthy ones.",
)
class ECOD(OutlierScore):
    """How far out in the tails of each feature's healthy distribution a row lies."""

    Config = OutlierConfig
