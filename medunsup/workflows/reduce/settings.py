"""Everything a user can choose about a map."""

from typing import Any

from pydantic import Field

from medunsup.core.config import Config


class ReduceSettings(Config):
    """Choices that a map follows from."""

    method: str = Field("umap", description="one of `medunsup methods reduction`")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the method by name")
    covariates: tuple[str, ...] = Field((), description="columns of the table that are no features")
    colour: str | None = Field(None, description="covariate that the picture is coloured by")
    drop_incomplete: bool = Field(False, description="leave rows out in which a feature is missing")
    seed: int = Field(0, ge=0, description="seed of the layout, for methods that draw")
