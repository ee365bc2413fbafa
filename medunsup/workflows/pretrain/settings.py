"""Everything a user can choose about pretraining: what options, YAML and `--set` end in."""

from typing import Any

from pydantic import Field

from medunsup.cohort.settings import BrainChoice, ContrastChoice, ReadSettings
from medunsup.core.config import Config
from medunsup.io.load import Coordinates


class PretrainSettings(Config):
    """Choices that an encoder follows from; those about scans are not looked at for images."""

    method: str = Field(
        "autoencoder", description="name of a method that `medunsup methods selfsupervised` lists"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the method, by name; the method's config checks them"
    )
    spacing_mm: float = Field(
        2.0, ge=0.5, le=8.0, description="voxel spacing in mm of the template grid that scans are brought to"
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
        description="share of the subjects that are measured on alone, unless a table names the splits",
    )
    covariates: tuple[str, ...] = Field(
        (), description="columns of participants.tsv or of the table, such as age, that the method goes by"
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the split of subjects and, unless its parameters name one, of the method",
    )

    @property
    def reading(self) -> ReadSettings:
        """How scans are read."""
        return ReadSettings(contrast=self.contrast, brain=self.brain, coordinates=self.coordinates)
