"""Robust Mahalanobis distance."""

from pydantic import Field

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class MCDConfig(OutlierConfig):
    """Parameters of the minimum covariance determinant."""

    support_fraction: float | None = Field(
        None,
        gt=0,
        le=1,
        description="share of the healthy rows that the covariance is taken from; None takes the least "
        "that is robust",
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
    """Squared Mahalanobis distance from the densest half of the healthy rows.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : MCDConfig, optional
        Parameters of the method, listed by `help(MCD.Config)`; the defaults if not given.

    Attributes
    ----------
    rows_ : ndarray of shape (P, D)
        The healthy rows, each once: codes of the model, or local features.
    columns_ : Columns
        Mean and spread of each feature over these rows, by which all rows are standardised.
    flat_ : FlatVoxels
        Voxels that are the same in all healthy scans and say nothing.
    detector_ : RowDetector
        The detector that was fitted on the standardised rows.
    slope_ : float
        Score that is added for each sd by which features that never varied have moved.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = 0.5 + 0.02 * np.random.default_rng(0).standard_normal((12, 16, 16))
    >>> scan = healthy[:1].copy()
    >>> scan[0, 3:6, 3:6] += 0.2
    >>> values = {"on": "patches", "n_rows": 400}
    >>> detector = medunsup.Detector(score="mcd", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = MCDConfig
