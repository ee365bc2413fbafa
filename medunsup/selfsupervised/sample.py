"""The items that a pretraining measured itself by: their features, and a slice of each to be looked at."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from medunsup.selfsupervised.base import SelfSupervised
from medunsup.selfsupervised.learner import MEASURED_AT_ONCE
from medunsup.training.datasets import Dataset, Draws
from medunsup.training.learner import Batch
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.watch import ITEMS_MEASURED, evenly_spread, is_enough


@dataclass(frozen=True, eq=False)
class Sample:
    """Items and their features (N, D) by the encoder as it is now.

    `slices` (N, C, H, W) are the items, or of volumes the axial slice with most of the mask; `masks`
    (N, H, W). `scans` (N,) are positions, `subjects` (N,) number whose each is, `labels` (N,) are classes,
    `levels` (N,) the slice that each is. `is_validation` tells whose these items are.
    """

    is_validation: bool
    features: Array
    slices: Array
    masks: Mask
    scans: NDArray[np.intp]
    subjects: NDArray[np.intp]
    labels: NDArray[np.int64] | None
    levels: NDArray[np.intp] | None


def measured_sample(method: SelfSupervised, scans: Scans, validation: Scans | None) -> Sample:
    """Return the items that a training measures after each epoch: of validation, or what is learned from."""
    held_out = None if validation is None else method.dataset(validation)
    if held_out is not None and is_enough(held_out):
        return _measured(method, held_out, is_validation=True)
    return _measured(method, method.dataset(scans), is_validation=False)


def _measured(method: SelfSupervised, dataset: Dataset, *, is_validation: bool) -> Sample:
    items = evenly_spread(len(dataset), ITEMS_MEASURED)
    learner = method.learner_.eval()
    features, shown, batches = [], [], []
    for start in range(0, len(items), MEASURED_AT_ONCE):
        batch = dataset.batch(items[start : start + MEASURED_AT_ONCE], Draws(first=start))
        here = batch.to(method.device)
        with torch.no_grad():
            features.append(learner.encoder.features(here.values, here.masks).float().cpu())
        shown.append(_slices(batch))
        batches.append(batch)
    labels = [batch.labels for batch in batches if batch.labels is not None]
    return Sample(
        is_validation,
        torch.cat(features).numpy(),
        torch.cat([values for values, _ in shown]).numpy(),
        torch.cat([masks for _, masks in shown])[:, 0].numpy(),
        torch.cat([batch.scans for batch in batches]).numpy(),
        torch.cat([batch.subjects for batch in batches]).numpy(),
        torch.cat(labels).numpy() if labels else None,
        None if dataset.levels is None else dataset.levels[items],
    )


def _slices(batch: Batch) -> tuple[Tensor, Tensor]:
    """Values (B, C, H, W) and masks (B, 1, H, W): items as they are, or one slice of each volume."""
    if batch.values.ndim == 4:
        return batch.values, batch.masks
    levels = batch.masks.sum(dim=(1, 2, 3)).argmax(dim=1)
    pairs = zip(batch.values, batch.masks, levels, strict=True)
    cut = [(values[..., level], masks[..., level]) for values, masks, level in pairs]
    return torch.stack([values for values, _ in cut]), torch.stack([masks for _, masks in cut])
