"""Everything a user can choose about fine-tuning: what options, YAML and `--set` end in."""

from typing import Any, Literal

from pydantic import Field, field_validator

from medunsup.cohort.settings import BrainChoice, ContrastChoice, ReadSettings
from medunsup.core.config import Config
from medunsup.io.load import Coordinates

Task = Literal["segment", "classify"]


class FinetuneSettings(Config):
    """Choices that a fine-tuned network follows from."""

    task: Task = Field(
        "segment",
        description="what is learned: 'segment' gives each voxel a label, 'classify' each scan or image",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the task, by name; docs/finetune.md lists them"
    )
    spacing_mm: float | None = Field(
        None,
        ge=0.5,
        le=8.0,
        description="voxel spacing in mm of the template grid; by default that of the pretraining",
    )
    contrast: ContrastChoice = Field(
        "auto", description="weighting of the scans; 'auto' takes it from names, headers or intensities"
    )
    brain: BrainChoice = Field("auto", description="how the brain mask is found if none is given")
    coordinates: Coordinates = Field(
        "auto", description="which of a NIfTI file's two coordinate systems places scans, masks and labels"
    )
    test: float = Field(
        0.3, gt=0, lt=1, description="share of the subjects to test on, unless the table names the splits"
    )
    baselines: bool = Field(
        True, description="whether the same is trained with a frozen encoder, and from scratch"
    )
    fractions: tuple[float, ...] = Field(
        (1.0,), min_length=1, description="shares of the training subjects whose labels are given"
    )
    labelled: tuple[int, ...] = Field(
        (), description="numbers of training subjects whose labels are given, beside the shares"
    )
    draws: int = Field(
        5, ge=5, le=100, description="how often labels are drawn at each share; of all there is but one draw"
    )
    few_labels: str | None = Field(
        None,
        description="method that learns from unlabelled items as well; `medunsup methods semisupervised` "
        "lists them",
    )
    seed: int = Field(
        0,
        ge=0,
        description="seed of the split of subjects, of the draws and, unless its parameters name one, of the "
        "task",
    )

    @field_validator("fractions")
    @classmethod
    def _are_shares(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < one <= 1 for one in given):
            raise ValueError("should be shares above 0 and at most 1, such as 0.1")
        return tuple(sorted(set(given)))

    @field_validator("labelled")
    @classmethod
    def _are_numbers(cls, given: tuple[int, ...]) -> tuple[int, ...]:
        if not all(one >= 1 for one in given):
            raise ValueError("should be numbers of subjects, 1 or more")
        return tuple(sorted(set(given)))

    @property
    def reading(self) -> ReadSettings:
        """How scans are read."""
        return ReadSettings(contrast=self.contrast, brain=self.brain, coordinates=self.coordinates)
