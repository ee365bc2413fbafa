"""Kernel principal components."""

from pydantic import Field

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class KPCAConfig(OutlierConfig):
    """Parameters of the kernel principal components."""

    n_rows: int = Field(
        1_000,
        ge=10,
        le=10_000,
        description="healthy patches kept, drawn evenly from all scans; memory and time grow with its square",
    )
    stride: int = Field(
        4,
        ge=1,
        le=8,
        description="distance in voxels between the patches judged; the map is linear in between",
    )
    n_components: int | None = Field(None, ge=1, description="kernel components kept; None keeps all")
    gamma: float | None = Field(
        None, gt=0, description="coefficient of the Gaussian kernel; None takes 1 / number of features"
    )


@register(
    "kpca",
    family="outlier",
    dims=(2, 3),
    paper="Hoffmann (2007), Kernel PCA for novelty detection. Pattern Recognition.",
    limit="The kernel's width decides, and a distance beyond a few widths all looks alike. With all "
    "components the rows learned from score 0: only other healthy scans tell what is usual.",
)
class KPCA(OutlierScore):
    """What is left of a row after projection on the healthy rows' kernel components.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : KPCAConfig, optional
        Parameters of the method, listed by `help(KPCA.Config)`; the defaults if not given.

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
    >>> values = {"on": "patches", "n_rows": 200, "n_components": 8}
    >>> detector = medunsup.Detector(score="kpca", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = KPCAConfig
