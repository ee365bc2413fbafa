"""Everything a user can choose about one segmentation: what the options, a YAML file and `--set` end in."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from medunsup.core.config import Config
from medunsup.io.bids.names import Contrast, contrast_of_word
from medunsup.io.load import Coordinates

ContrastName = Literal["auto", Contrast]
ContrastChoice = Annotated[ContrastName, BeforeValidator(contrast_of_word)]  # takes "t1" and "flair" as well


class SegmentSettings(Config):
    """Choices that change the result; together with the inputs' hashes they decide whether a scan is done."""

    model_config = ConfigDict(coerce_numbers_to_str=True)  # a series may be given as a number

    method: str = Field(
        "atlas_gmm", description="name of a tissue method that `medunsup methods tissue` lists"
    )
    tissues: Literal["auto"] | Annotated[int, Field(ge=2, le=12)] = Field(
        3, description="number of classes: 3 are GM, WM and CSF; 'auto' proposes one from the intensities"
    )
    contrast: ContrastChoice = Field(
        "auto", description="weighting of the scan; 'auto' takes it from name, header or intensities"
    )
    seed: int = Field(default=0, ge=0, description="seed of every random choice")
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
    brain: Literal["auto", "atlas", "stripped", "deepbet"] = Field(
        "auto", description="how the brain mask is found if none is given"
    )
    learn_prior: bool = Field(
        False, description="let all scans of a run refine the prior: segment, average, segment again"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the method, by name; the method's config checks them"
    )

    def as_record(self) -> dict[str, Any]:
        """Plain values for the sidecar, in a fixed order."""
        return self.model_dump()

    def as_options(self) -> list[str]:
        """Return the command line options that make these choices, where they are not the defaults."""
        changed = self.model_dump(exclude_defaults=True)
        parameters = changed.pop("parameters", {})
        flags = ["--learn-prior"] if changed.pop("learn_prior", False) else []
        options = [flags, *([f"--{key}", str(value)] for key, value in changed.items())]
        options += [["--set", f"{key}={json.dumps(value)}"] for key, value in parameters.items()]
        return [word for option in options for word in option]
