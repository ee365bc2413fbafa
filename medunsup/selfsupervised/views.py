"""Augmented views, as methods that compare them need: which augmentations, and how many views."""

from typing import Annotated, Any

import torch
from pydantic import BeforeValidator, Field

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.presets import PRESETS, Augmentations, augment
from medunsup.selfsupervised.base import PretrainConfig
from medunsup.training.learner import Batch

ABOUT = "'segmentation' or 'classification', the presets, or probabilities and strengths by name"


def named_augmentations(given: Any) -> Any:
    """Take the name of a preset for its augmentations, and other values for those of it alone."""
    if isinstance(given, dict):
        return Augmentations.parse(given, "augmentations")
    if not isinstance(given, str):
        return given
    if given not in PRESETS:
        raise UsageError(f"augmentations: there is no preset {given!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[given]


class ViewsConfig(PretrainConfig):
    """Parameters of methods that compare augmented views."""

    augmentations: Annotated[Augmentations, BeforeValidator(named_augmentations)] = Field(
        PRESETS["segmentation"],
        description=ABOUT,
    )


def two_views(batch: Batch, generator: torch.Generator, augmentations: Augmentations) -> Batch:
    """Return a batch in two views of each item, drawn apart."""
    (view,) = batch.views
    return batch.shown_as([augment(view, generator, augmentations) for _ in range(2)])
