"""Fine-tuning for classification: networks give each scan a class, and differ in their encoders alone."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medunsup.core.errors import InputError
from medunsup.nn.classifier import ClassificationNetwork
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.augmentations.presets import augment
from medunsup.supervised.arms import LOOKS, MOVES, Arm, Task, TaskConfig, TaskLearner
from medunsup.training.datasets import Dataset, slices_shown
from medunsup.training.learner import Batch, Loss, View
from medunsup.training.scan_stack import Scans
from medunsup.training.transforms import TransformOrMany

UNKNOWN = -1  # label of an item whose class is not known
AT_ONCE = {2: 64, 3: 1}  # slices, volumes


class ClassificationConfig(TaskConfig):
    """Parameters of fine-tuning for classification."""


class ClassificationLearner(TaskLearner):
    """Classification networks; each slice or patch of a scan has the scan's class."""

    def __init__(
        self, config: ClassificationConfig, pretrained: Encoder, *, classes: int, arms: Sequence[Arm]
    ) -> None:
        super().__init__(config, pretrained, lambda encoder: ClassificationNetwork(encoder, classes), arms)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Move images and masks together, then change the images' looks."""
        if not self.config.augment:
            return batch
        moved = augment(View(batch.values, batch.masks), generator, MOVES)
        return batch.shown_as([augment(moved, generator, LOOKS)])

    def loss_of(self, arm: Arm, batch: Batch) -> Loss:
        """Cross-entropy, a mean over the items whose class is known; 0 without any."""
        assert batch.labels is not None  # the scans were checked
        scores = self.network(arm)(batch.values, batch.masks, frozen=arm == "frozen").float()
        labels = batch.labels.to(scores.device)
        total = functional.cross_entropy(scores, labels, ignore_index=UNKNOWN, reduction="sum")
        return Loss(total / (labels != UNKNOWN).sum().clamp(min=1), {})


class Classification(Task):
    """Fine-tunes an encoder to give scans a class, beside the same with a frozen and a random encoder."""

    Config = ClassificationConfig
    method_name = "classification"
    config: ClassificationConfig

    def build(self, shape: tuple[int, ...]) -> ClassificationLearner:
        """Make the networks."""
        return ClassificationLearner(self.config, self.pretrained, classes=self.classes, arms=self.arms)

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from. Raises InputError for scans without the labels asked for."""
        if scans.labels is None or scans.labels.max() >= self.classes:
            raise InputError(
                f"Classification learns from the class of each scan, 0 to {self.classes - 1}: give "
                "Scans(values, masks, labels=...)."
            )
        return super().dataset(scans, transform)

    def probabilities(self, arm: Arm, scans: Scans) -> NDArray[np.float64]:
        """Return the probability (N, classes) of each class for each scan, whatever stands beside it.

        In two dimensions that of the mean logarithm over the slices that a scan would be learned from;
        without any, over those that reach into its mask, and of an empty mask over all.
        """
        network = self.learner_.network(arm).eval()
        sums, counts = np.zeros((len(scans), self.classes)), np.zeros(len(scans))
        with torch.no_grad():
            for owners, x, masks in self._looked_at(scans):
                logs = network(x.to(self.device), masks.to(self.device)).double().log_softmax(dim=1)
                np.add.at(sums, owners, logs.cpu().numpy())
                np.add.at(counts, owners, 1)
        means = sums / counts[:, None]
        shares = np.exp(means - means.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True)

    def features(self, encoder: Encoder, scans: Scans) -> NDArray[np.float64]:
        """Return an encoder's features (N, D) of each scan, a mean over the slices that are looked at.

        A linear layer on them gives the probabilities of the network of both.
        """
        sums, counts = np.zeros((len(scans), encoder.n_features)), np.zeros(len(scans))
        place = next(encoder.parameters()).device
        with torch.no_grad():
            for owners, x, masks in self._looked_at(scans):
                found = encoder.eval().features(x.to(place), masks.to(place)).double()
                np.add.at(sums, owners, found.cpu().numpy())
                np.add.at(counts, owners, 1)
        return sums / counts[:, None]

    def _looked_at(self, scans: Scans) -> Iterator[tuple[NDArray[np.intp], Tensor, Tensor]]:
        """Yield whose each item is (B,), values (B, C, ...) and masks (B, 1, ...), in batches."""
        dims = self.config.dims
        used = np.ones((len(scans), 1), bool) if dims == 3 else _slices_looked_at(scans)
        owners, levels = np.nonzero(used)
        for start in range(0, len(owners), AT_ONCE[dims]):
            whose, level = (one[start : start + AT_ONCE[dims]] for one in (owners, levels))
            if dims == 3:
                x, masks = scans.values[whose], scans.masks[whose]
            else:
                x = np.moveaxis(scans.values, 4, 1)[whose, level]
                masks = np.moveaxis(scans.masks, 3, 1)[whose, level]
            values = torch.from_numpy(np.ascontiguousarray(x, np.float32))
            yield whose, values, torch.from_numpy(np.ascontiguousarray(masks))[:, None]


def _slices_looked_at(scans: Scans) -> NDArray[np.bool_]:
    """Return (N, K) which slices of each scan are looked at: at least one of each."""
    used, reached = slices_shown(scans.masks), np.asarray(scans.masks.any(axis=(1, 2)))
    for better in (reached, np.ones_like(used)):
        used = np.where(used.any(axis=1, keepdims=True), used, better)
    return used
