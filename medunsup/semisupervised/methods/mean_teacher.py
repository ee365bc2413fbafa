"""Mean teacher: a moving average of the network says what it shall answer to another view."""

from typing import Any

import torch
from pydantic import Field
from torch import nn

from medunsup.core.registry import register
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.selfsupervised.momentum import follow, teacher_of
from medunsup.semisupervised.base import FewLabels, FewLabelsConfig
from medunsup.semisupervised.learner import Arm, FewLabelsLearner, Unlabelled, mean_inside
from medunsup.semisupervised.losses.consistency import consistency
from medunsup.semisupervised.tasks import FewLabelsTask
from medunsup.training.learner import Batch, StepProgress

MEMORY = 0.1  # share of all steps: a teacher that remembers more of a short run is left behind
LEAST_STEPS = 10  # that it remembers


class MeanTeacherConfig(FewLabelsConfig):
    """Parameters of the mean teacher."""

    unlabelled_weight: float = Field(
        10.0, ge=0, description="what the consistency counts beside the supervised loss"
    )
    momentum: float = Field(
        0.99,
        ge=0,
        lt=1,
        description="share of the teacher that a step keeps, less at first and in a short run",
    )


class MeanTeacherLearner(FewLabelsLearner):
    """Student and teacher, a moving average of it, which answers in the end."""

    def __init__(self, config: Any, pretrained: Encoder, task: FewLabelsTask) -> None:
        super().__init__(config, pretrained, task)
        self.teacher = teacher_of(self.arms["semisupervised"])

    def changes(self) -> list[Augmentations]:
        """Two weak views."""
        return [self.config.weak, self.config.weak]

    def network(self, arm: Arm) -> nn.Module:
        """Return the teacher, or the network of the labelled items alone."""
        return self.teacher if arm == "semisupervised" else self.arms[arm]

    def labeller(self) -> nn.Module:
        """Return the teacher."""
        return self.teacher

    def unlabelled(self, batch: Batch, generator: torch.Generator) -> Unlabelled:
        """Difference to what the teacher says of the other view."""
        first, second = batch.views
        with torch.no_grad():
            wanted = self.task.scores(self.teacher, second).softmax(dim=1)
        scores, inside = self.task.scores(self.arms["semisupervised"], first), self.task.inside(first)
        loss = mean_inside(consistency(scores, wanted), inside)
        return Unlabelled(loss, torch.ones_like(loss))

    def after_step(self, progress: StepProgress) -> None:
        """Move the teacher; it is the mean of all steps at first, later of a tenth of them at most."""
        super().after_step(progress)
        longest = max(LEAST_STEPS, MEMORY * progress.steps)
        keep = min(self.config.momentum, 1 - 1 / progress.step, 1 - 1 / longest)
        follow(self.teacher, self.arms["semisupervised"], keep)


@register(
    "mean_teacher",
    family="networks",
    dims=(2, 3),
    paper="Tarvainen & Valpola, Mean teachers are better role models, NeurIPS 2017, arXiv:1703.01780",
    limit="Teacher and student agree on what they both get wrong; many steps are needed.",
)
class MeanTeacher(FewLabels):
    """The network shall say of one view what a moving average of itself says of another.

    Parameters
    ----------
    config : MeanTeacherConfig
        Parameters of the method, listed by `help(MeanTeacher.Config)`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan, or that of each voxel.

    Attributes
    ----------
    learner_ : MeanTeacherLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept: the method's, or that of the labelled scans alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.nn import make_encoder
    >>> from medunsup.semisupervised import MeanTeacher, Scans
    >>> images = np.random.default_rng(0).random((8, 1, 16, 16, 1), dtype=np.float32)
    >>> labels = np.array([0, 1, -1, -1, -1, -1, -1, -1])
    >>> scans = Scans(images, np.ones((8, 16, 16, 1), bool), labels=labels)
    >>> config = MeanTeacher.Config(steps=2, batch_size=4, encoder_share=1.0)
    >>> method = MeanTeacher(config, make_encoder("cnn", dims=2, channels=1), classes=2).fit(scans)
    >>> method.probabilities(scans).shape
    (8, 2)
    """

    Config = MeanTeacherConfig
    Learner = MeanTeacherLearner
    tasks = ("classify", "segment")
    learner_: MeanTeacherLearner
