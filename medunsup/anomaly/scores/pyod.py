"""Any of PyOD's detectors by name."""

from typing import Any

from pydantic import Field

from medunsup.anomaly.scores._pyod import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class PyODConfig(OutlierConfig):
    """Which detector, with which of its own parameters."""

    detector: str = Field(
        "iforest", description="name of PyOD's module, such as iforest, hbos, gmm, kde or ocsvm"
    )
    options: dict[str, Any] = Field(default={}, description="the detector's own parameters, by PyOD's names")


@register(
    "pyod",
    family="outlier",
    dims=(2, 3),
    paper="Zhao et al. (2019), PyOD: a Python toolbox for scalable outlier detection. JMLR.",
    limit="Not every detector is quick; those that judge a scan by its company, or the furthest lowest, are "
    "refused.",
)
class PyOD(OutlierScore):
    """The detector of PyOD that the user names.

    Judges the codes of a model that offers `encode`, or with `on` "patches" local features without a model.

    Parameters
    ----------
    config : PyODConfig, optional
        Parameters of the method, listed by `help(PyOD.Config)`; the defaults if not given.

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
    >>> values = {"on": "patches", "detector": "gmm"}
    >>> detector = medunsup.Detector(score="pyod", score_params=values)
    >>> found = detector.fit(healthy).score_map(scan)[0]
    >>> bool(found[4, 4] > found[9:, 9:].max())
    True
    """

    Config = PyODConfig
    config: PyODConfig

    def _named(self) -> tuple[str, dict[str, Any]]:
        return self.config.detector, self.config.options
