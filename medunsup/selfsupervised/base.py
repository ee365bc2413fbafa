"""What every pretraining method shares: parameters, what it learns from, the features it gives."""

from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.registry import method
from medunsup.nn.encoder import Encoder
from medunsup.selfsupervised.encode import encode
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import Estimator, EstimatorConfig, known_of
from medunsup.training.loop import Training
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.transforms import TransformOrMany


class PretrainConfig(EstimatorConfig):
    """Parameters that all pretraining methods share."""

    encoder: str = Field("cnn", description="name of an encoder that `medunsup methods encoder` lists")
    encoder_parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="parameters of the encoder, by name; the encoder's config checks them",
    )
    dims: Literal[2, 3] = Field(
        2, description="2 learns from axial slices or images, 3 from volumes on the template grid"
    )
    patch: tuple[int, ...] | None = Field(
        None,
        min_length=2,
        max_length=3,
        description="sides in voxels of random patches that are learned from, one number a dimension; "
        "without it whole slices or volumes",
    )
    patches_per_scan: int = Field(8, ge=1, description="patches of each scan in an epoch")
    epochs: int = Field(100, ge=1, description="passes over the training scans")
    batch_size: int = Field(32, ge=1, description="slices, volumes or patches in each optimisation step")
    learning_rate: float = Field(1e-3, gt=0, description="largest step size of AdamW")
    weight_decay: float = Field(0.05, ge=0, description="weight decay of AdamW; biases and norms have none")
    warmup: float = Field(
        0.1,
        ge=0,
        lt=1,
        description="share of the steps in which the learning rate rises, before it falls as a cosine",
    )
    keep: Literal["last", "label_free"] = Field(
        "last",
        description="weights that are kept: 'last' those that the training ends with, 'label_free' those of "
        "the epoch after the warm-up whose features have the highest rank (RankMe)",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Raise UsageError for an encoder or parameters of it that are not there, or a patch that misfits."""
        if self.patch is not None and len(self.patch) != self.dims:
            raise UsageError(
                f"patch has {len(self.patch)} sides, but dims is {self.dims}. Give one side a dimension."
            )
        kind: type[Encoder] = method("encoder", self.encoder)
        kind.Config.parse(self.encoder_parameters, f"encoder {self.encoder}")
        return self


class SelfSupervised(Estimator):
    """Base of pretraining methods: they train an encoder on scans without labels.

    A subclass gives `build`, which makes its networks as one `PretrainLearner`.

    Parameters
    ----------
    config : PretrainConfig, optional
        Parameters of the method, an instance of its class's `Config`; the defaults if not given.

    Attributes
    ----------
    learner_ : PretrainLearner
        The trained networks.
    trained_ : Trained
        How the training ended. Not there where the state was read from a file.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> from medunsup.selfsupervised import Autoencoder, SelfSupervised
    >>> issubclass(Autoencoder, SelfSupervised)
    True
    """

    Config: ClassVar[type[PretrainConfig]]
    asks_for: ClassVar[str] = ""  # what `Scans.targets` shall hold, if a workflow can make it
    has_decoder: ClassVar[bool] = False  # whether its learner's `decoder` is a `SkipDecoder`, to hand over
    takes_covariates: ClassVar[bool] = False  # whether it goes by `Scans.covariates`, and needs them
    learner_: PretrainLearner

    @property
    def encoder_(self) -> Encoder:
        """The trained encoder."""
        return self.learner_.encoder

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from: random patches if the config says so, else slices or volumes.

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

        Raises
        ------
        InputError
            If patches are larger than the scans.
        """
        config = self.config
        if config.patch is None:
            return super().dataset(scans, transform)
        return Patches(
            scans.values,
            scans.masks,
            size=config.patch,
            per_scan=config.patches_per_scan,
            transform=transform,
            **known_of(scans),
        )

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train the encoder.

        Parameters
        ----------
        scans : Scans
            Scans on one grid.
        validation : Scans, optional
            Scans of other subjects, to stop early by and to measure the features of.
        training : Training, optional
            Where and how the networks are trained.

        Returns
        -------
        SelfSupervised
            This method, fitted.

        Raises
        ------
        UsageError
            If the batch is larger than there are items.
        InputError
            If there is a single scan, or patches are larger than the scans.
        StepError
            If a loss is not finite; the last good checkpoint stays.
        """
        if len(set(scans.subjects) or range(len(scans))) < 2:
            raise InputError(
                "There is one image alone: pretraining learns from many, of two subjects or more."
            )
        training = training or Training()
        if self.config.keep == "label_free":
            training = replace(training, keep="score")
        return super().fit(scans, validation=validation, training=training)

    def check_items(self, dataset: Dataset) -> None:
        """Check that there is a whole batch.

        Parameters
        ----------
        dataset : Dataset
            What is learned from.

        Raises
        ------
        UsageError
            If there are fewer items than a batch has.
        """
        size, n_items = self.config.batch_size, len(dataset)
        if n_items < size:
            raise UsageError(
                f"{n_items} training items are fewer than a batch of {size}. Give more scans, or "
                f"{option('parameters', {'batch_size': n_items})}."
            )

    def features(self, values: Array, masks: Mask | None = None) -> Array:
        """Return the features of scans: means of the encoder's coarsest map.

        Parameters
        ----------
        values : ndarray of shape (N, C, I, J, K), float32
            Prepared scans, intensities about [0, 1].
        masks : ndarray of shape (N, I, J, K), bool, optional
            Where to average; everywhere if not given. In two dimensions slices outside are left out, and the
            features of the others averaged.

        Returns
        -------
        ndarray of shape (N, D), float32
            One row for each scan.
        """
        return encode(self.encoder_, values, masks)
