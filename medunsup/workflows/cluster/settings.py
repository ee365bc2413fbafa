"""Everything a user can choose about clusters."""

from typing import Annotated, Any, Literal

from pydantic import Field

from medunsup.core.config import Config

OF_STREAM = "minibatch_kmeans"  # the method for rows that are read in batches


class ClusterSettings(Config):
    """Choices that clusters follow from."""

    method: str = Field("gmm", description="one of `medunsup methods clustering`")
    k: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="clusters, or 'auto': as many as there are"
    )
    max_k: int = Field(10, ge=2, le=50, description="most clusters that 'auto' tries")
    parameters: dict[str, Any] = Field(default_factory=dict, description="parameters of the method by name")
    components: int | None = Field(
        None, ge=1, description="principal components that features are brought to first; all if not given"
    )
    harmonise: str | None = Field(None, description="column of the site, or scanner, that ComBat takes out")
    covariates: tuple[str, ...] = Field(
        (), description="columns that are no features; harmonising keeps their effect"
    )
    truth: str | None = Field(None, description="column of known classes: measured with, never learned from")
    drop_incomplete: bool = Field(False, description="leave rows out in which a feature is missing")
    umap: bool = Field(True, description="draw a UMAP beside principal components, where it is installed")
    seeds: int = Field(10, ge=1, le=100, description="how often the method is fitted, for the intervals")
    seed: int = Field(0, ge=0, description="first seed: its fit is the one that is kept")
