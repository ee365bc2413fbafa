"""What networks are asked: the class of a scan, or that of each voxel. The one place where the two differ."""

from abc import ABC, abstractmethod
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from medunsup.nn.classifier import ClassificationNetwork
from medunsup.nn.encoder import Encoder
from medunsup.nn.segmenter import SegmentationNetwork
from medunsup.selfsupervised.augmentations.presets import Augmentations, augment
from medunsup.supervised.segmentation import SMOOTH
from medunsup.training.learner import Batch, View
from medunsup.training.scan_stack import Scans

TaskName = Literal["classify", "segment"]
STILL = {"crop": 0.0, "flip": 0.0, "rotation": 0.0}


class FewLabelsTask(ABC):
    """Elements are scans (B,) or voxels (B, ...); the target of one that is not labelled is -1."""

    def __init__(self, classes: int) -> None:
        self.classes = classes

    @abstractmethod
    def network(self, encoder: Encoder) -> nn.Module:
        """Make a network around an encoder."""

    @abstractmethod
    def scores(self, network: nn.Module, view: View) -> Tensor:
        """Return the scores (B, K, ...) of a view, float32."""

    @abstractmethod
    def targets(self, batch: Batch) -> Tensor:
        """Return the class (B, ...) of each element, as the first view has it."""

    @abstractmethod
    def inside(self, view: View) -> Tensor:
        """Return which elements (B, ...) are asked for."""

    @abstractmethod
    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the supervised loss of labelled items, a mean over them."""

    @abstractmethod
    def views(self, batch: Batch, generator: torch.Generator, changes: "list[Augmentations]") -> Batch:
        """Make one view for each of the changes, whose elements belong to one another."""

    @abstractmethod
    def are_labelled(self, scans: Scans) -> NDArray[np.bool_]:
        """Return which scans (N,) are labelled."""

    @abstractmethod
    def classes_of(self, scans: Scans) -> set[int]:
        """Return the classes that labelled scans show."""


class Classify(FewLabelsTask):
    """The class of each scan, in `Batch.labels`."""

    def network(self, encoder: Encoder) -> nn.Module:
        """Make a linear layer behind the encoder."""
        return ClassificationNetwork(encoder, self.classes)

    def scores(self, network: nn.Module, view: View) -> Tensor:
        """Return scores (B, K)."""
        return network(view.values, view.masks).float()

    def targets(self, batch: Batch) -> Tensor:
        """Return labels (B,)."""
        assert batch.labels is not None  # the scans were checked
        return batch.labels.to(batch.values.device)

    def inside(self, view: View) -> Tensor:
        """All scans (B,)."""
        return torch.ones(len(view.values), dtype=torch.bool, device=view.values.device)

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy."""
        return functional.cross_entropy(scores, targets)

    def views(self, batch: Batch, generator: torch.Generator, changes: list[Augmentations]) -> Batch:
        """Change the items themselves, once for each view."""
        view = View(batch.values, batch.masks)
        return batch.shown_as([augment(view, generator, change) for change in changes])

    def are_labelled(self, scans: Scans) -> NDArray[np.bool_]:
        """Those with a class."""
        return np.zeros(len(scans), bool) if scans.labels is None else scans.labels >= 0

    def classes_of(self, scans: Scans) -> set[int]:
        """Collect the labels."""
        return set() if scans.labels is None else set(np.unique(scans.labels[scans.labels >= 0]).tolist())


class Segment(FewLabelsTask):
    """The class of each voxel, in the last channel of each view."""

    def __init__(self, classes: int) -> None:
        from monai.losses import DiceCELoss

        super().__init__(classes)
        how: dict[str, Any] = {"smooth_nr": SMOOTH, "smooth_dr": SMOOTH, "batch": True}
        self._loss = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True, **how)

    def network(self, encoder: Encoder) -> nn.Module:
        """Make a decoder behind the encoder."""
        return SegmentationNetwork(encoder, self.classes)

    def scores(self, network: nn.Module, view: View) -> Tensor:
        """Return scores (B, K, ...)."""
        return network(view.values[:, :-1]).float()

    def targets(self, batch: Batch) -> Tensor:
        """Return classes (B, ...)."""
        return batch.values[:, -1].long()

    def inside(self, view: View) -> Tensor:
        """Voxels of the masks (B, ...)."""
        return view.masks[:, 0]

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Dice and cross-entropy."""
        return self._loss(scores, targets[:, None].float())

    def views(self, batch: Batch, generator: torch.Generator, changes: list[Augmentations]) -> Batch:
        """Move images and classes as the first change says; others change looks alone, so voxels agree."""
        image, classes = batch.values[:, :-1], batch.values[:, -1:]
        is_unknown = (classes < 0).flatten(1).any(dim=1).view(-1, *(1,) * (classes.ndim - 1))
        marks = functional.one_hot(classes[:, 0].clamp(min=0).long(), self.classes).movedim(-1, 1)[:, 1:]
        moves = changes[0].model_copy(update={"noise": 0.0, "intensity": 0.0, "cutout": 0.0, "sobel": 0.0})
        moved = augment(View(torch.cat([image, marks.to(image)], dim=1), batch.masks), generator, moves)
        image, marks = moved.values.split([image.shape[1], self.classes - 1], dim=1)
        outside = 1 - marks.sum(dim=1, keepdim=True)
        classes = torch.cat([outside, marks], dim=1).argmax(dim=1, keepdim=True).to(image)
        classes = torch.where(is_unknown, -1.0, classes)
        done = []
        for number, change in enumerate(changes):
            still = change.model_copy(update=STILL if number else {**STILL, "blur": 0.0})
            looks = augment(View(image, moved.masks), generator, still)
            done.append(View(torch.cat([looks.values, classes], dim=1), looks.masks))
        return batch.shown_as(done)

    def are_labelled(self, scans: Scans) -> NDArray[np.bool_]:
        """Those without a voxel of class -1."""
        return np.array([values[-1].min() >= 0 for values in scans.values], bool)

    def classes_of(self, scans: Scans) -> set[int]:
        """Collect the classes of voxels of labelled scans."""
        known = np.flatnonzero(self.are_labelled(scans))
        return {int(one) for n in known for one in np.unique(scans.values[n, -1])}


TASKS: dict[TaskName, type[FewLabelsTask]] = {"classify": Classify, "segment": Segment}
