"""Everything a user can choose about features: what options and `--set` end in."""

from typing import Any

from pydantic import Field

from medunsup.cohort.settings import BrainChoice, ContrastChoice, ReadSettings
from medunsup.core.config import Config
from medunsup.core.errors import UsageError
from medunsup.core.registry import method
from medunsup.features.base import Feature
from medunsup.io.load import Coordinates

SPACING_MM = 2.0


class EmbedSettings(Config):
    """Choices that the features of scans follow from; of images none is looked at."""

    features: tuple[str, ...] = Field(
        ("volumes", "intensity"), description="kinds of features that `medunsup methods feature` lists"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the kinds, such as 'pca.n_components'"
    )
    spacing_mm: float | None = Field(
        None,
        ge=0.5,
        le=8.0,
        description="voxel spacing in mm of the template grid; None is 2, or that of the encoder",
    )
    contrast: ContrastChoice = Field(
        "auto", description="weighting of the scans; 'auto' takes it from names, headers or intensities"
    )
    brain: BrainChoice = Field("auto", description="how the brain mask is found if none is given")
    coordinates: Coordinates = Field(
        "auto", description="which of a NIfTI file's two coordinate systems places scans and masks"
    )

    @property
    def reading(self) -> ReadSettings:
        """How scans are read."""
        return ReadSettings(contrast=self.contrast, brain=self.brain, coordinates=self.coordinates)

    def kinds(self) -> dict[str, Feature]:
        """Make the kinds of features asked for. Raises UsageError for what is not known."""
        for key in self.parameters:
            if key.partition(".")[0] not in self.features:
                known = ", ".join(f"{name}.NAME" for name in self.features) or "no kind"
                raise UsageError(f"The parameter {key!r} is of none of the features asked for: {known}.")
        return {name: self._kind(name) for name in dict.fromkeys(self.features)}

    def _kind(self, name: str) -> Feature:
        cls: Any = method("feature", name)
        prefix = f"{name}."
        own = {
            key.removeprefix(prefix): value
            for key, value in self.parameters.items()
            if key.startswith(prefix)
        }
        made: Feature = cls(cls.Config.parse(own, where=name))
        return made
