"""What every method around an encoder shares: parameters, the fit, the choice against supervised learning."""

import logging
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

from pydantic import Field

from medunsup.core.errors import InputError, UsageError
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.semisupervised.judged import judge
from medunsup.semisupervised.learner import Arm, FewLabelsLearner
from medunsup.semisupervised.mixed import Mixed
from medunsup.semisupervised.tasks import TASKS, TaskName
from medunsup.supervised.arms import TaskConfig
from medunsup.supervised.classification import Classification
from medunsup.supervised.segmentation import Segmentation
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import Estimator
from medunsup.training.loop import Training
from medunsup.training.scan_stack import Scans
from medunsup.training.transforms import TransformOrMany

EPOCHS = 10  # at least, in which the pseudo-labels are looked at

log = logging.getLogger(__name__)


class FewLabelsConfig(TaskConfig):
    """Parameters that all methods around an encoder share."""

    batch_size: int = Field(32, ge=2, description="slices, volumes or patches in each step, labelled and not")
    labelled_share: float = Field(
        0.25, gt=0, lt=1, description="share of a batch that is labelled, at least one item of it"
    )
    unlabelled_weight: float = Field(
        1.0, ge=0, description="what the loss of unlabelled items counts beside that of labelled ones"
    )
    ramp: float = Field(
        0.3, ge=0, le=1, description="share of the steps in which that weight rises from nearly 0"
    )
    weak: Augmentations = Field(
        Augmentations(
            crop=0.5, crop_least=0.8, rotation=0.5, degrees=10, noise=0.2, noise_sd=0.1, intensity=0.3
        ),
        description="how items are changed that labelled ones are learned from, and pseudo-labels made of",
    )
    strong: Augmentations = Field(
        Augmentations(
            crop=0.5, crop_least=0.6, rotation=0.5, degrees=15, noise=0.3, intensity=0.8, contrast=0.4
        ),
        description="how the items are changed that shall give the same; boxes (cutout) may hide a lesion",
    )


@dataclass(frozen=True)
class Choice:
    """Which arm is kept, and why.

    Attributes
    ----------
    kept : {'semisupervised', 'supervised'}
        The arm that is asked from now on.
    figures : dict of str to float
        Balanced accuracy or mean Dice of each arm on the validation scans; empty without any.
    sentence : str
        The same in words.

    Examples
    --------
    >>> from medunsup.semisupervised import Choice
    >>> Choice("supervised", {"semisupervised": 0.7, "supervised": 0.8}, "Kept: the better one.").kept
    'supervised'
    """

    kept: Arm
    figures: dict[str, float]
    sentence: str


class FewLabels(Estimator):
    """Base of methods that train a network around an encoder with few labels.

    Beside it the same network learns from the labelled items alone, for as many steps; with validation scans
    that one is kept where it is better on them. A subclass gives `Learner`, `Config` and `tasks`.

    Parameters
    ----------
    config : FewLabelsConfig
        Parameters of the method, an instance of its class's `Config`.
    pretrained : Encoder
        What the networks start from; with random weights give `encoder_share` 1 as well.
    classes : int
        Number of classes, 0 to classes - 1; of voxels 0 is the background.
    task : {'classify', 'segment'}, default 'classify'
        The class of each scan, or that of each voxel.

    Attributes
    ----------
    learner_ : FewLabelsLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and what goes wrong with the pseudo-labels, if anything.
    choice_ : Choice
        Which network is kept.

    Examples
    --------
    >>> from medunsup.semisupervised import FewLabels, FixMatch
    >>> issubclass(FixMatch, FewLabels)
    True
    """

    Config: ClassVar[type[FewLabelsConfig]]
    Learner: ClassVar[type[FewLabelsLearner]]
    tasks: ClassVar[tuple[TaskName, ...]] = ("classify",)
    learner_: FewLabelsLearner
    choice_: Choice

    def __init__(
        self, config: Any, pretrained: Encoder, *, classes: int, task: TaskName = "classify"
    ) -> None:
        if task not in self.tasks:
            raise UsageError(
                f"{self.method_name} does not {task}; it is for: {', '.join(self.tasks)}. "
                "mean_teacher, pseudo_label and fixmatch are for both tasks."
            )
        super().__init__(config.model_copy(update={"dims": pretrained.dims}))
        self.pretrained, self.classes, self.task = pretrained, classes, task
        kind: Any = Classification if task == "classify" else Segmentation
        self._plain = kind(self.config, pretrained, classes=classes, arms=())

    def build(self, shape: tuple[int, ...]) -> FewLabelsLearner:
        """Make the networks.

        Parameters
        ----------
        shape : tuple of int
            Shape of an input: (C, H, W) for slices, (C, I, J, K) for volumes.

        Returns
        -------
        FewLabelsLearner
            The networks, not yet trained.
        """
        return self.Learner(self.config, self.pretrained, TASKS[self.task](self.classes))

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from: both kinds of items in each, where some are not labelled.

        Parameters
        ----------
        scans : Scans
            Scans on one grid.
        transform : callable or list of callables, optional
            Changes each item as it is taken; a list makes one view each.

        Returns
        -------
        Dataset
            Items of the scans.
        """
        items = self._plain.dataset(scans, transform)
        labelled = TASKS[self.task](self.classes).are_labelled(scans)
        if labelled.all():
            return items
        config = self.config
        most = -(-config.steps // EPOCHS)
        return Mixed(items, labelled, size=config.batch_size, share=config.labelled_share, most=most)

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train both networks, and choose one.

        Parameters
        ----------
        scans : Scans
            Labelled and unlabelled scans: labels of -1, or a class channel that is -1.
        validation : Scans, optional
            Labelled scans of other subjects: pseudo-labels are judged by them, and the network is chosen.
        training : Training, optional
            Where and how the networks are trained. The last weights are used, and nothing stops early.

        Returns
        -------
        FewLabels
            This method, fitted.

        Raises
        ------
        InputError
            If no scan or all scans are labelled, a class has none, or a validation scan is not labelled.
        StepError
            If a loss is not finite; the last good checkpoint stays.
        """
        self._check(scans, validation)
        batches = len(self.dataset(scans).order(self.config.seed, 0)) // self.config.batch_size
        epochs = -(-self.config.steps // batches)
        self.config = self.config.model_copy(update={"epochs": epochs})
        self._knows_truth = validation is not None
        training = replace(training or Training(), keep="last", patience=None)
        super().fit(scans, validation=validation, training=training)
        self.choice_ = choose(self, validation)
        self.learner_.is_supervised_kept.fill_(self.choice_.kept == "supervised")
        return self

    def probabilities(self, *given: Any, arm: Arm | None = None) -> Any:
        """Return probabilities of the classes, from the network that is kept.

        Parameters
        ----------
        *given : Scans, or ndarray and ndarray
            Scans to classify; to segment one scan (C, I, J, K) and its brain mask (I, J, K).
        arm : {'semisupervised', 'supervised'}, optional
            Which network to ask; the one that is kept if not given.

        Returns
        -------
        ndarray
            (N, classes) of scans, or (classes, I, J, K) of voxels.
        """
        self._plain.learner_ = self.learner_
        return self._plain.probabilities(arm or self.learner_.kept, *given)

    def _build(self, shape: Any) -> FewLabelsLearner:
        learner = cast(FewLabelsLearner, super()._build(shape))
        learner.knows_truth = getattr(self, "_knows_truth", False)
        return learner

    def _check(self, scans: Scans, validation: Scans | None) -> None:
        task = TASKS[self.task](self.classes)
        labelled = task.are_labelled(scans)
        if labelled.all() or not labelled.any():
            raise InputError(
                f"{labelled.sum()} of {len(scans)} scans are labelled: learning with few labels needs some "
                "that are and some that are not."
            )
        missing = sorted(set(range(self.classes)) - task.classes_of(scans))
        if missing:
            raise InputError(
                f"No labelled scan shows class {', '.join(map(str, missing))}: label one, or leave the class "
                "out."
            )
        if validation is not None and not task.are_labelled(validation).all():
            raise InputError("Validation scans are there to judge by: label them, or leave them out.")


def choose(method: Any, validation: Scans | None) -> Choice:
    """Compare both arms of a fitted method on validation scans, if there are any, and say which is kept."""
    name = method.method_name
    if validation is None:
        return Choice(
            "semisupervised",
            {},
            f"No validation scans to choose by: {name} is kept.",
        )
    arms: tuple[Arm, ...] = ("semisupervised", "supervised")
    figures: dict[str, float] = {arm: judge(method, validation, arm) for arm in arms}
    kept: Arm = "supervised" if figures["supervised"] > figures["semisupervised"] else "semisupervised"
    measure = "balanced accuracy" if method.task == "classify" else "mean Dice"
    said = name if kept == "semisupervised" else "the network that knows labelled scans alone"
    sentence = (
        f"{measure} on {len(validation)} validation scans: {name} {figures['semisupervised']:.3f}, "
        f"labelled scans alone {figures['supervised']:.3f}. Kept: {said}."
    )
    log.log(logging.WARNING if kept == "supervised" else logging.INFO, "%s", sentence)
    return Choice(kept, figures, sentence)
