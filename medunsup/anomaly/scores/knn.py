"""Distance to healthy neighbours."""

from typing import Literal

from pydantic import Field

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class KNNConfig(OutlierConfig):
    """Parameters of the neighbour distance."""

    n_neighbors: int = Field(5, ge=1, description="number of nearest healthy rows")
    method: Literal["largest", "mean", "median"] = Field(
        "largest", description="which of their distances is the score"
    )


@register(
    "knn",
    family="outlier",
    dims=(2, 3),
    paper="Ramaswamy et al. (2000), Efficient algorithms for mining outliers from large data sets. SIGMOD.",
    limit="Where healthy scans differ much from one another, a lesion is no further away than they are.",
)
class KNN(OutlierScore):
    """Distance to the k-th nearest healthy row.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : KNNConfig, optional
        Parameters of the method, listed by `help(KNN.Config)`; the defaults if not given.

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
    >>> values = {"on": "patches"}
    >>> detector = medunsup.Detector(score="knn", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = KNNConfig
