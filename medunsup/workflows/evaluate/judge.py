"""What all cases of an evaluation are measured with."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.workflows.train.model_folder import ModelFolder
from medunsup.workflows.train.settings import TrainSettings

if TYPE_CHECKING:
    from medunsup.anomaly.baselines import Baselines


@dataclass(frozen=True, eq=False)
class Judge:
    """A model folder, baselines (None: none), the healthy threshold, and the folder of prepared scans."""

    model: ModelFolder
    baselines: "Baselines | None"
    threshold: float
    cache: Path

    @property
    def settings(self) -> TrainSettings:
        """How scans are prepared: as the model's were, but each by its own contrast, as `detect` takes it."""
        return self.model.settings.model_copy(update={"contrast": "auto"})

    @property
    def min_cluster_mm3(self) -> float:
        """Smallest connected component that counts."""
        return self.model.settings.min_cluster_mm3
