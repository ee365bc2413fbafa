"""Everything a user can choose about a probe."""

from pydantic import Field, field_validator

from medunsup.core.config import Config


class ProbeSettings(Config):
    """Choices that the figures of a probe follow from."""

    fractions: tuple[float, ...] = Field(
        (0.01, 0.1, 1.0), min_length=1, description="shares of the training subjects whose labels are given"
    )
    draws: int = Field(
        5, ge=5, le=100, description="how often labels are drawn at each share; of all there is but one draw"
    )
    test: float = Field(
        0.3,
        ge=0.1,
        le=0.9,
        description="share of the subjects to test on, unless the data name the test split",
    )
    seed: int = Field(0, ge=0, description="seed of the split, the draws and the folds")

    @field_validator("fractions")
    @classmethod
    def _are_shares(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < one <= 1 for one in given):
            raise ValueError("should be shares above 0 and at most 1, such as 0.1")
        return tuple(sorted(set(given)))
