"""Methods that restore what a corruption has changed: what they share."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from medunsup.nn.decoder import LightDecoder
from medunsup.nn.losses import inside_mean
from medunsup.selfsupervised.augmentations.statistics import mean_and_sd
from medunsup.selfsupervised.corruptions.corrupted import Corrupted
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.selfsupervised.losses.masked_error import masked_error
from medunsup.selfsupervised.no_better import no_better
from medunsup.training.learner import Batch, Loss, Objective, View

MEANS = {"mean": "each item's mean intensity", "others": "the mean of other items at each voxel"}


class RestorationLearner(PretrainLearner):
    """Encoder, and a light decoder of its coarsest map, which bring corrupted items back.

    A method gives `corrupt`. A batch then has two views: the items corrupted, and as they were with the
    voxels whose squared error counts, all inside the mask or with `changed_only` those that may have changed.
    Beside the loss stand the errors of what needs no learning: the corrupted items as they are ("untouched"),
    each item's own mean intensity ("mean"), and at each voxel the mean of the batch's other items ("others").
    """

    changed_only: ClassVar[bool] = False

    def __init__(self, shape: tuple[int, ...], config: Any) -> None:
        super().__init__(shape, config)
        self.decoder = LightDecoder(config.dims, self.encoder.widths, shape[0])

    @abstractmethod
    def corrupt(self, view: View, generator: torch.Generator) -> Corrupted:
        """Corrupt items; the view itself stays as it is."""

    def objectives(self) -> Sequence[Objective]:
        """Return one objective: encoder and decoder together."""
        return [self.objective("restoration", self.loss)]

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Show the items corrupted, and as they were."""
        (view,) = batch.views
        done = self.corrupt(view, generator)
        counted = view.masks & done.changed if self.changed_only else view.masks
        return batch.shown_as([done.view, View(view.values, counted)])

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error of what is restored, over the voxels that count."""
        shown, target = batch.views
        restored = self.decoder(self.encoder(shown.values), shown.values.shape[2:])
        original = View(target.values, shown.masks)
        guesses = {"untouched": shown.values, **means_of(original)}
        errors = {
            name: inside_mean((guess - target.values).square(), target.masks)
            for name, guess in guesses.items()
        }
        return Loss(masked_error(restored, target.values, target.masks, shown.masks), errors)

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Name a collapse, or say that a mean is as near."""
        return super().verdict(history) or no_better(history[-1], "restoration", MEANS, self.config)


def means_of(view: View) -> dict[str, Tensor]:
    """Guess items without learning: by their own mean intensity, and by the others' mean at each voxel."""
    return {"mean": mean_and_sd(view)[0], "others": _others(view)}


def _others(view: View) -> Tensor:
    """Mean (B, C, ...) of the other items at each voxel; the item's own mean where no other has a mask."""
    inside = view.masks.to(view.values.dtype)
    values = view.values * inside
    count = inside.sum(dim=0, keepdim=True) - inside
    means = (values.sum(dim=0, keepdim=True) - values) / count.clamp(min=1)
    return torch.where(count > 0, means, mean_and_sd(view)[0])
