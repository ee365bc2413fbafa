"""Fine-tuning for segmentation: three networks learn from the same batches, and differ in their encoders."""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.nn.segmenter import SegmentationNetwork
from medunsup.selfsupervised.augmentations.presets import Augmentations, augment
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import Estimator, EstimatorConfig, used_slices
from medunsup.training.learner import Batch, Learner, Loss, Objective, View
from medunsup.training.optimizers import AdamW, Cosine
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.transforms import TransformOrMany

Arm = Literal["finetuned", "frozen", "scratch"]

ARMS: tuple[Arm, ...] = get_args(Arm)
SMOOTH = 1.0  # voxels; keeps the Dice loss of a class that an image does not show harmless
MOVES = Augmentations(crop=0.5, crop_least=0.6, rotation=0.5, degrees=15)
LOOKS = Augmentations(noise=0.2, noise_sd=0.1, intensity=0.5)


class SegmentationConfig(EstimatorConfig):
    """Parameters of fine-tuning for segmentation."""

    dims: Literal[2, 3] = Field(2, description="dimensions of the encoder; taken from it")
    epochs: int = Field(1, ge=1, description="passes over the training scans; follows from `steps`")
    steps: int = Field(
        1000, ge=1, description="optimisation steps of each network, rounded up to whole epochs"
    )
    batch_size: int = Field(8, ge=1, description="slices, volumes or patches in each step")
    learning_rate: float = Field(3e-3, gt=0, description="largest step size of AdamW")
    encoder_share: float = Field(
        0.1, gt=0, le=1, description="share of the step size at which a pretrained encoder is fine-tuned"
    )
    weight_decay: float = Field(0.01, ge=0, description="weight decay of AdamW; biases and norms have none")
    warmup: float = Field(
        0.1, ge=0, lt=1, description="share of the steps in which the step size rises, before it falls"
    )
    patch: tuple[int, ...] | None = Field(
        None, description="sides in voxels of random patches, one a dimension; without it whole images"
    )
    patches_per_scan: int = Field(8, ge=1, description="patches of each scan in an epoch")
    augment: bool = Field(True, description="turn, enlarge and change the look of images at random")


class SegmentationLearner(Learner):
    """Three segmentation networks, alike but for their encoders: fine-tuned, frozen, from scratch.

    Items (B, C + 1, ...) are images with the number of the class of each voxel as their last channel. All
    networks see the same items, in the same views, and start with the same decoder.
    """

    def __init__(
        self, config: SegmentationConfig, pretrained: Encoder, *, classes: int, arms: Sequence[Arm]
    ) -> None:
        super().__init__()
        from monai.losses import DiceCELoss

        self.config, self.classes = config, classes
        random = make_encoder(
            pretrained.method_name,
            pretrained.config.model_dump(),
            dims=pretrained.dims,
            channels=pretrained.channels,
        )
        network = SegmentationNetwork(random, classes)
        self.arms = nn.ModuleDict({arm: deepcopy(network) for arm in arms})
        for arm in arms:
            if arm != "scratch":
                self.network(arm).encoder.load_state_dict(pretrained.state_dict())
        self.loss = DiceCELoss(
            include_background=False,
            to_onehot_y=True,
            softmax=True,
            smooth_nr=SMOOTH,
            smooth_dr=SMOOTH,
            batch=True,
        )

    def network(self, arm: Arm) -> SegmentationNetwork:
        """Return one of the networks."""
        found = self.arms[arm]
        assert isinstance(found, SegmentationNetwork)
        return found

    def objectives(self) -> Sequence[Objective]:
        """Return one objective a network; of the frozen encoder only the decoder learns."""
        config = self.config
        return [
            Objective(
                arm,
                partial(self._learned, arm),
                partial(self._loss, arm),
                AdamW(config.learning_rate),
                Cosine(config.warmup),
                config.weight_decay,
                slow=self.network(arm).encoder.parameters if arm == "finetuned" else tuple,
                slow_share=config.encoder_share,
            )
            for arm in ARMS
            if arm in self.arms
        ]

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

    def _marks(self, classes: Tensor) -> Tensor:
        """Return (B, classes - 1, ...) float: 1 where a voxel is of the class, background left out."""
        marks = functional.one_hot(classes.long(), self.classes)[..., 1:]
        return marks.movedim(-1, 1).to(classes.dtype)

    def _learned(self, arm: Arm) -> Iterable[nn.Parameter]:
        network = self.network(arm)
        return network.decoder.parameters() if arm == "frozen" else network.parameters()

    def _loss(self, arm: Arm, batch: Batch, generator: torch.Generator) -> Loss:
        scores = self.network(arm)(batch.values[:, :-1], frozen=arm == "frozen")
        return Loss(self.loss(scores.float(), batch.values[:, -1:]), {})


class Segmentation(Estimator):
    """Fine-tunes an encoder for segmentation, beside the same with a frozen and a random encoder."""

    Config = SegmentationConfig
    method_name = "segmentation"
    learner_: SegmentationLearner

    def __init__(
        self,
        config: SegmentationConfig,
        pretrained: Encoder,
        *,
        classes: int,
        arms: Sequence[Arm] = ARMS,
    ) -> None:
        super().__init__(config.model_copy(update={"dims": pretrained.dims}))
        self.pretrained, self.classes, self.arms = pretrained, classes, tuple(arms)

    def build(self, shape: tuple[int, ...]) -> SegmentationLearner:
        """Make the networks."""
        return SegmentationLearner(self.config, self.pretrained, classes=self.classes, arms=self.arms)

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from; an encoder of one size of images takes patches of that size."""
        size = self._patch(scans)
        if size is None:
            return super().dataset(scans, transform)
        return Patches(
            scans.values,
            scans.masks,
            tuple(scans.names),
            size=size,
            per_scan=self.config.patches_per_scan,
            subjects=tuple(scans.subjects),
            transform=transform,
        )

    def with_steps(self, scans: Scans) -> "Segmentation":
        """Return this with as many epochs over `scans` as make the number of steps."""
        items = len(self.dataset(scans).order(self.config.seed, 0))
        batches = max(1, items // min(self.config.batch_size, items))
        epochs = -(-self.config.steps // batches)
        config = self.config.model_copy(update={"epochs": epochs})
        return Segmentation(config, self.pretrained, classes=self.classes, arms=self.arms)

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

    def _patch(self, scans: Scans) -> tuple[int, ...] | None:
        """Return the sides of patches, if any are taken: as asked for, or as the encoder needs them."""
        if self.config.patch is not None:
            return tuple(self.config.patch)
        needed: Any = getattr(self.pretrained, "sides", None)
        whole = scans.shape[1 : 1 + self.config.dims]
        return None if needed is None or tuple(needed) == whole else tuple(needed)
