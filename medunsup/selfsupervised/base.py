"""What every pretraining method shares: parameters, networks around an encoder, the features it gives."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import nn

from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.registry import method
from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.selfsupervised.encode import encode
from medunsup.selfsupervised.monitors import monitored
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import Estimator, EstimatorConfig
from medunsup.training.learner import Batch, Embeddings, Learner, Loss, Objective
from medunsup.training.loop import Training
from medunsup.training.optimizers import AdamW, Cosine
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.transforms import TransformOrMany

MEASURED_AT_ONCE = 16


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


class PretrainLearner(Learner):
    """Networks around an encoder: a method adds its heads and gives the objectives.

    Parameters
    ----------
    shape : tuple of int
        Shape of an input: (C, H, W) for slices and patches of them, (C, I, J, K) for volumes.
    config : PretrainConfig
        Parameters of the method.

    Attributes
    ----------
    encoder : Encoder
        What is kept after the training.

    Examples
    --------
    >>> from medunsup.selfsupervised import PretrainConfig, PretrainLearner
    >>> class Idle(PretrainLearner):
    ...     def objectives(self):
    ...         return []
    >>> Idle((1, 16, 16), PretrainConfig()).encoder.n_features > 0
    True
    """

    def __init__(self, shape: tuple[int, ...], config: Any) -> None:
        super().__init__()
        self.config = config
        self.encoder: Encoder = make_encoder(
            config.encoder, config.encoder_parameters, dims=config.dims, channels=shape[0]
        )

    def objective(
        self,
        name: str,
        loss: Callable[[Any, torch.Generator], Loss],
        *,
        embed: Callable[[Batch, torch.Generator], Embeddings] | None = None,
    ) -> Objective:
        """Make an objective that trains all of the networks by AdamW, with warm-up and a cosine.

        Parameters
        ----------
        name : str
            Its name in the log.
        loss : callable
            The loss of a batch, or of the embeddings of a whole batch, and a generator.
        embed : callable, optional
            Embeddings of a batch; with it the objective is joint.

        Returns
        -------
        Objective
            The objective.
        """
        config = self.config
        return Objective(
            name,
            self.trained,
            loss,
            AdamW(config.learning_rate),
            Cosine(config.warmup),
            config.weight_decay,
            embed=embed,
        )

    def trained(self) -> list[nn.Parameter]:
        """Return the parameters that are trained: all that need a gradient.

        Returns
        -------
        list of Parameter
            The parameters.
        """
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def measure(self, batch: Batch) -> dict[str, float]:
        """Return figures of the features of a fixed sample, by which a collapse is seen.

        Parameters
        ----------
        batch : Batch
            The sample, not augmented.

        Returns
        -------
        dict of str to float
            Spread of the features, their effective rank, how evenly they cover the sphere.
        """
        parts = zip(batch.values.split(MEASURED_AT_ONCE), batch.masks.split(MEASURED_AT_ONCE), strict=True)
        rows = torch.cat([self.encoder.features(x, inside) for x, inside in parts])
        return monitored(rows.float().cpu().numpy())


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
    least_batch: ClassVar[int] = 1  # items that a loss needs at once
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
            tuple(scans.names),
            size=config.patch,
            per_scan=config.patches_per_scan,
            subjects=tuple(scans.subjects),
            transform=transform,
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
            If the batch is larger than there are items, or too small for the loss.
        InputError
            If there is a single scan, or patches are larger than the scans.
        StepError
            If a loss is not finite; the last good checkpoint stays.
        """
        self._check_enough(scans)
        return super().fit(scans, validation=validation, training=training)

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

    def _check_enough(self, scans: Scans) -> None:
        if len(set(scans.subjects) or range(len(scans))) < 2:
            raise InputError(
                "There is one image alone: pretraining learns from many, of two subjects or more."
            )
        size, n_items = self.config.batch_size, len(self.dataset(scans))
        if size < self.least_batch:
            raise UsageError(
                f"{self.method_name}: a batch of {size} holds nothing to compare with. "
                f"Give batch_size={self.least_batch} or more."
            )
        if n_items < size:
            raise UsageError(
                f"{n_items} training items are fewer than a batch of {size}. Give more scans, or "
                f"{option('parameters', {'batch_size': n_items})}."
            )
