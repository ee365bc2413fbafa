"""Methods that learn codes by an autoencoder, and clusters among the codes."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from medunsup.clustering.base import Floats
from medunsup.clustering.deep.on_images import OnImages, OnImagesConfig


class CodedConfig(OnImagesConfig):
    """Parameters that methods with an autoencoder share."""

    width: int = Field(256, ge=1, le=4096, description="units of the layers about the code")
    code: int = Field(10, ge=1, le=4096, description="numbers in a code")
    pretrain_epochs: int = Field(100, ge=1, description="passes over the items of the autoencoder alone")
    batch_size: int = Field(128, ge=2, description="items in each step")
    scale: Literal["each", "together"] = Field(
        "each",
        description="'each' brings every feature to one standard deviation, 'together' all by one number, "
        "for features of one unit such as pixels; images are always taken together",
    )


class Coded(OnImages):
    """Base of methods whose network holds an autoencoder as `coder`; `transform` gives codes."""

    scale: str

    def _scale(self, rows: Floats) -> None:
        super()._scale(rows)
        if self.scale == "together":
            used = rows[:, self._used]
            self._middle, self._spread = np.full(1, used.mean()), np.full(1, used.std() or 1.0)

    def _coder(self, config: Any) -> Any:
        from medunsup.clustering.deep.autoencoder import Autoencoder

        return Autoencoder(self._body(config), self._shape(), config.width, config.code)


class OnTargetsConfig(CodedConfig):
    """Parameters that `dec` and `idec` share."""

    epochs: int = Field(50, ge=1, description="passes over the items at most, after the autoencoder's")
    tolerance: float = Field(1e-3, ge=0, le=1, description="share of labels that change when the fit ends")


class OnTargets(Coded):
    """Base of methods that learn codes and centres from a target over all rows."""

    def _network(self, n_features: int, n_clusters: int, config: Any) -> Any:
        from medunsup.clustering.deep.centres import CentreNetwork

        return CentreNetwork(self._coder(config), n_clusters)

    def _learn(self, network: Any, values: Any, config: Any, generator: Any) -> list[float]:
        from medunsup.clustering.deep.centres import learn_targets

        curve, moved = learn_targets(network, values, config, generator)
        if moved:
            self._remark(f"Centres without rows were put on a row that was least sure, {moved} times.")
        return curve
