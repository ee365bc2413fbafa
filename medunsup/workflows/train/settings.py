"""Everything a user can choose about learning from healthy scans: what options, YAML and `--set` end in."""

from typing import Any, ClassVar

from pydantic import Field

from medunsup.cohort.settings import BrainChoice, ContrastChoice, ReadSettings
from medunsup.core.config import Config
from medunsup.io.load import Coordinates

PARAMETER = "encoder"  # of a model that takes a pretrained one


class TrainSettings(Config):
    """Choices that a model folder keeps, and that later scans are prepared by."""

    renamed: ClassVar = {"least_part_mm3": "min_cluster_mm3"}

    model: str = Field("dae", description="name of a model that `medunsup methods anomaly` lists")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the model, by name; the model's config checks them"
    )
    score: str = Field(
        "zscore",
        description="name of a score that `medunsup methods score` lists and the model offers what it "
        "needs for",
    )
    score_parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the score, by name; the score's config checks them"
    )
    postprocess: tuple[str, ...] = Field(
        ("median=3", "relative=75"), description="steps that the map goes through, in this order"
    )
    spacing_mm: float = Field(
        2.0, ge=0.5, le=8.0, description="voxel spacing in mm of the template grid that the model lives on"
    )
    contrast: ContrastChoice = Field(
        "auto", description="weighting of the scans; 'auto' takes it from names, headers or intensities"
    )
    brain: BrainChoice = Field("auto", description="how the brain mask is found if none is given")
    coordinates: Coordinates = Field(
        "auto", description="which of a NIfTI file's two coordinate systems places scans and masks"
    )
    validation: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of the subjects that decide when to stop, unless a table names the splits; they "
        "go to calibration for a model without epochs",
    )
    calibration: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="share of the subjects that set the thresholds, unless a table names the splits",
    )
    min_cluster_mm3: float = Field(
        50.0,
        ge=0,
        description="connected components smaller than this, in mm³, are neither counted nor listed",
    )
    seed: int = Field(0, ge=0, description="seed of the split of subjects")

    @property
    def reading(self) -> ReadSettings:
        """How scans are read."""
        return ReadSettings(contrast=self.contrast, brain=self.brain, coordinates=self.coordinates)
