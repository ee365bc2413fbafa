"""Local outlier factor."""

from typing import Any

from pydantic import Field

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
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
    """How much sparser the healthy rows lie around this one than around its neighbours.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : LOFConfig, optional
        Parameters of the method, listed by `help(LOF.Config)`; the defaults if not given.

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
    >>> detector = medunsup.Detector(score="lof", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = LOFConfig
    config: LOFConfig

    def _named(self) -> tuple[str, dict[str, Any]]:
        return "lof", {"n_neighbors": min(self.config.n_neighbors, len(self.rows_) - 1)}
