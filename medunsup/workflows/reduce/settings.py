"""Everything a user can choose about a map."""

from typing import Any

from pydantic import Field

from medunsup.cohort.feature_table.read import KEY_OF
from medunsup.core.config import Config


class ReduceSettings(Config):
    """Choices that a map follows from."""

    method: str = Field("umap", description="one of `medunsup methods reduction`")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the method by name")
    covariates: tuple[str, ...] = Field((), description="columns of the table that are no features")
    colour: str | None = Field(None, description="covariate that the picture is coloured by")
    drop_incomplete: bool = Field(False, description="leave rows out in which a feature is missing")
    seed: int = Field(0, ge=0, description="seed of the layout, for methods that draw")

    @property
    def no_features(self) -> tuple[str, ...]:
        """Columns that are named for what they are beside the features; those of keys are known as such."""
        named = (*self.covariates, *filter(None, (self.colour,)))
        return tuple(dict.fromkeys(name for name in named if name.casefold() not in KEY_OF))
