"""Augmented views, as methods that compare them need: which augmentations, and how many views."""

from typing import Annotated, Any

import torch
from pydantic import BeforeValidator, Field

from medunsup.core.errors import UsageError
from medunsup.selfsupervised.augmentations.presets import PRESETS, Augmentations, augment
from medunsup.selfsupervised.base import PretrainConfig
from medunsup.training.learner import Batch

ABOUT = (
    "a preset ('segmentation', 'classification', 'strong'), or probabilities and strengths by name; "
    "with `preset` among them, what that preset has but for those"
)


def named_augmentations(given: Any) -> Any:
    """Take the name of a preset for its augmentations, and named values for changes of it, or alone."""
    if isinstance(given, str):
        return _preset(given)
    if not isinstance(given, dict):
        return given
    base = _preset(given["preset"]).model_dump() if "preset" in given else {}
    changed = {name: value for name, value in given.items() if name != "preset"}
    return Augmentations.parse({**base, **changed}, "augmentations")


def _preset(name: Any) -> Augmentations:
    if not isinstance(name, str) or name not in PRESETS:
        raise UsageError(f"augmentations: there is no preset {name!r}. Known: {', '.join(PRESETS)}.")
    return PRESETS[name]


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
