"""Fine-tuning for segmentation: three networks learn from the same batches, and differ in their encoders."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from medunsup.nn.encoder import Encoder
from medunsup.nn.segmenter import SegmentationNetwork
from medunsup.selfsupervised.augmentations.presets import augment
from medunsup.supervised.arms import ARMS as ARMS
from medunsup.supervised.arms import LOOKS, MOVES, Arm, Task, TaskConfig, TaskLearner, Weights
from medunsup.training.estimator import used_slices
from medunsup.training.learner import Batch, Loss, View
from medunsup.training.scan_stack import Array, Mask

SMOOTH = 1.0  # voxels; keeps the Dice loss of a class that an image does not show harmless


class SegmentationConfig(TaskConfig):
    """Parameters of fine-tuning for segmentation."""


class SegmentationLearner(TaskLearner):
    """Segmentation networks; items (B, C + 1, ...) are images with their classes as last channel."""

    def __init__(
        self,
        config: SegmentationConfig,
        pretrained: Encoder,
        *,
        classes: int,
        arms: Sequence[Arm],
        decoder: Weights | None = None,
    ) -> None:
        from monai.losses import DiceCELoss

        super().__init__(
            config, pretrained, lambda encoder: SegmentationNetwork(encoder, classes), arms, decoder
        )
        self.classes = classes
        self.loss = DiceCELoss(
            include_background=False,
            to_onehot_y=True,
            softmax=True,
            smooth_nr=SMOOTH,
            smooth_dr=SMOOTH,
            batch=True,
        )

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Move images and classes together, then change the images' looks."""
        if not self.config.augment:
            return batch
        image, marks = batch.values[:, :-1], self._marks(batch.values[:, -1])
        moved = augment(View(torch.cat([image, marks], dim=1), batch.masks), generator, MOVES)
        image, marks = moved.values.split([image.shape[1], marks.shape[1]], dim=1)
        looks = augment(View(image, moved.masks), generator, LOOKS)
        outside = 1 - marks.sum(dim=1, keepdim=True)
        classes = torch.cat([outside, marks], dim=1).argmax(dim=1, keepdim=True)
        values = torch.cat([looks.values, classes.to(looks.values.dtype)], dim=1)
        return batch.shown_as([View(values, looks.masks)])

    def loss_of(self, arm: Arm, batch: Batch) -> Loss:
        """Dice and cross-entropy."""
        scores = self.network(arm)(batch.values[:, :-1], frozen=arm == "frozen")
        return Loss(self.loss(scores.float(), batch.values[:, -1:]), {})

    def _marks(self, classes: Tensor) -> Tensor:
        """Return (B, classes - 1, ...) float: 1 where a voxel is of the class, background left out."""
        marks = functional.one_hot(classes.long(), self.classes)[..., 1:]
        return marks.movedim(-1, 1).to(classes.dtype)


class Segmentation(Task):
    """Fine-tunes an encoder for segmentation, beside the same with a frozen and a random encoder."""

    Config = SegmentationConfig
    method_name = "segmentation"
    config: SegmentationConfig

    def build(self, shape: tuple[int, ...]) -> SegmentationLearner:
        """Make the networks."""
        return SegmentationLearner(
            self.config, self.pretrained, classes=self.classes, arms=self.arms, decoder=self.decoder
        )

    def probabilities(self, arm: Arm, values: Array, mask: Mask) -> NDArray[np.float32]:
        """Return the probability (classes, I, J, K) of each class in a scan (C, I, J, K) with its brain mask.

        In two dimensions slices outside the mask (I, J, K), such as nothing was learned from, are background.
        """
        network = self.learner_.network(arm).eval()
        with torch.no_grad():
            parts = [network(x).float().softmax(dim=1).cpu() for x, _ in self.inputs(values, mask)]
        if self.config.dims == 3:
            return np.ascontiguousarray(parts[0][0].numpy())
        found = np.zeros((self.classes, *mask.shape), np.float32)
        found[0] = 1
        found[..., used_slices(mask)] = torch.cat(parts).permute(1, 2, 3, 0).numpy()
        return found
