"""Everything a user can choose about one segmentation: what the options, a YAML file and `--set` end in."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from medunsup.core.config import Config
from medunsup.io.bids import Contrast, contrast_of_word
from medunsup.io.load import Coordinates

ContrastName = Literal["auto", Contrast]
ContrastChoice = Annotated[ContrastName, BeforeValidator(contrast_of_word)]  # takes "t1" and "flair" as well


class SegmentSettings(Config):
    """Choices that change the result; together with the inputs' hashes they decide whether a scan is done.

    `coordinates` says which of a NIfTI file's two coordinate systems places scan, mask and further contrasts;
    `brain` is how the brain mask is found if none is given (see `preprocess.brain_mask`);
    `tissues` is 3 (GM, WM, CSF), another number of classes, or "auto" (proposed from the intensities);
    `learn_prior` lets all scans of a run refine the prior; `parameters` are the method's own, checked by it.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)  # a series may be given as a number

    method: str = "atlas_gmm"
    tissues: Literal["auto"] | Annotated[int, Field(ge=2, le=12)] = 3
    contrast: ContrastChoice = "auto"
    seed: int = Field(default=0, ge=0)
    volume: int | None = Field(default=None, ge=0)
    series: str | None = None
    coordinates: Coordinates = "auto"
    brain: Literal["auto", "atlas", "stripped", "deepbet"] = "auto"
    learn_prior: bool = False
    parameters: dict[str, Any] = Field(default_factory=dict)

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
