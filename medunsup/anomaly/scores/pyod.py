"""Any of PyOD's detectors by name."""

from typing import Any

from pydantic import Field

from medunsup.anomaly.outliers import OutlierConfig, OutlierScore
from medunsup.core.registry import register


class PyODConfig(OutlierConfig):
    """Which detector, with which of its own parameters."""

    detector: str = Field("iforest", description="PyOD's module, such as iforest, hbos, gmm, kde, ocsvm")
    options: dict[str, Any] = Field(default={}, description="the detector's own parameters by PyOD's names")


@register(
    "pyod",
    family="outlier",
    dims=(2, 3),
    paper="Zhao et al. (2019), PyOD: a Python toolbox for scalable outlier detection. JMLR.",
    limit="Not every detector is quick; those that judge a scan by its company, or the furthest lowest, are "
    "refused.",
)
class PyOD(OutlierScore):
    """The detector of PyOD's that the user names."""

    Config = PyODConfig
    config: PyODConfig

    def _named(self) -> tuple[str, dict[str, Any]]:
        return self.config.detector, self.config.options
