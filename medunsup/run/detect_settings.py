"""Everything a user can choose about learning from healthy scans: what options, YAML and `--set` end in."""

from typing import Any, Literal

from pydantic import Field

from medunsup.core.config import Config
from medunsup.io.load import Coordinates
from medunsup.run.settings import ContrastChoice


class TrainSettings(Config):
    """Choices that a model folder keeps, and that later scans are prepared by.

    `parameters` and `score_parameters` are checked by the model and the score; `postprocess` are steps such
    as "median=3"; `validation` and `calibration` are shares of the subjects, unless a table names the parts;
    both go to calibration for a model without epochs.
    """

    model: str = "dae"
    parameters: dict[str, Any] = Field(default_factory=dict)
    score: str = "zscore"
    score_parameters: dict[str, Any] = Field(default_factory=dict)
    postprocess: tuple[str, ...] = ("median=3", "relative=75")
    spacing_mm: float = Field(2.0, ge=0.5, le=8.0, description="of the lattice the model lives on")
    contrast: ContrastChoice = "auto"
    brain: Literal["auto", "atlas", "stripped", "deepbet"] = "auto"
    coordinates: Coordinates = "auto"
    validation: float = Field(0.1, ge=0, lt=1, description="share of subjects that decide when to stop")
    calibration: float = Field(0.3, gt=0, lt=1, description="share of subjects that set the thresholds")
    least_part_mm3: float = Field(50.0, ge=0, description="smaller findings are not counted or listed")
    seed: int = Field(0, ge=0, description="of the split")
