"""How a scan is read and its brain found: the choices that all verbs share."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from medunsup.core.config import Config
from medunsup.io.bids.names import Contrast, contrast_of_word
from medunsup.io.load import Coordinates

ContrastName = Literal["auto", Contrast]
ContrastChoice = Annotated[ContrastName, BeforeValidator(contrast_of_word)]  # takes "t1" and "flair" as well
BrainChoice = Literal["auto", "atlas", "stripped", "deepbet"]


class ReadSettings(Config):
    """Choices of reading: with the files, they decide what a scan is before any method sees it."""

    model_config = ConfigDict(coerce_numbers_to_str=True)  # a series may be given as a number

    contrast: ContrastChoice = Field(
        "auto", description="weighting of the scan; 'auto' takes it from name, header or intensities"
    )
    volume: int | None = Field(
        default=None, ge=0, description="volume of a 4D file, counted from 0; None takes the only one"
    )
    series: str | None = Field(
        None,
        description="DICOM series, by its number or UID; None takes the only scan, or the only 3D T1w one",
    )
    coordinates: Coordinates = Field(
        "auto",
        description="which of a NIfTI file's two coordinate systems places scan, mask and further contrasts",
    )
    brain: BrainChoice = Field("auto", description="how the brain mask is found if none is given")
