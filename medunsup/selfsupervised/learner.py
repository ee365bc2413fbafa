"""Networks around an encoder, as pretraining methods build them, and how they are watched."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from math import ceil, isfinite
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from medunsup.metrics.label_free import rankme
from medunsup.metrics.representation import knn_accuracy
from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.nn.heads import batch_statistics
from medunsup.selfsupervised.collapse import Collapse, name_collapse
from medunsup.selfsupervised.collapse_rules import Kind
from medunsup.selfsupervised.monitors import Monitors
from medunsup.training.learner import Batch, Embeddings, Learner, Loss, Objective
from medunsup.training.optimizers import AdamW, Cosine

MEASURED_AT_ONCE = 16
BESIDE = ("epoch", "loss")
SCORE, KNN, KNN_K = "rankme", "knn_accuracy", "knn_k"
FEWEST_LABELLED = 8
FIGURES = [each.name for each in fields(Monitors) if each.name not in BESIDE]


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
    kind : {'contrastive', 'predictive', 'distillation', 'redundancy', 'reconstruction', 'classification'}
        Kind of the method, by which a collapse is told: with negatives, without, with a teacher's
        prototypes, by decorrelation, by restoring, by naming what was done.

    Examples
    --------
    >>> from medunsup.selfsupervised import PretrainConfig, PretrainLearner
    >>> class Idle(PretrainLearner):
    ...     def objectives(self):
    ...         return []
    >>> Idle((1, 16, 16), PretrainConfig()).encoder.n_features > 0
    True
    """

    kind: ClassVar[Kind] = "reconstruction"

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

    def embedded_views(self, batch: Batch, generator: torch.Generator) -> tuple[Tensor, Tensor] | None:
        """Embed two views of each item, to be watched beside the features.

        Parameters
        ----------
        batch : Batch
            Items, not augmented.
        generator : Generator
            What the views are drawn by.

        Returns
        -------
        tuple of Tensor or None
            Embeddings (B, P) of either view; None for a method without such a thing.
        """
        return None

    def teacher_probabilities(self, batch: Batch) -> Tensor | None:
        """Return what a teacher says of each item, to be watched.

        Parameters
        ----------
        batch : Batch
            Items, not augmented.

        Returns
        -------
        Tensor or None
            Probabilities (B, K); None for a method without a teacher's prototypes.
        """
        return None

    @property
    def guessing(self) -> float | None:
        """Loss of whoever guesses; None where that is not known."""
        return None

    def measure(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Return figures of the features of a fixed sample, by which a collapse is seen.

        Parameters
        ----------
        batch : Batch
            The sample, not augmented; the last item of 16 k + 1 is left out, as batch norm needs two.
        generator : Generator
            What views are drawn by.

        Returns
        -------
        dict of str to float
            The fields of `Monitors` that the method has; none of a single item.
        """
        if len(batch) < 2:
            return {}
        parts = [part for part in batch.split(MEASURED_AT_ONCE) if len(part) > 1]
        features = _array([self.encoder.features(part.values, part.masks) for part in parts])
        with batch_statistics(self):
            pairs = [pair for part in parts if (pair := self.embedded_views(part, generator)) is not None]
            said = [rows for part in parts if (rows := self.teacher_probabilities(part)) is not None]
        embedded = (_array([one for one, _ in pairs]), _array([two for _, two in pairs])) if pairs else None
        teacher = _array(said) if said else None
        found = asdict(Monitors.of(0, None, features, embeddings=embedded, teacher=teacher))
        figures = {name: value for name, value in found.items() if name not in BESIDE and value is not None}
        return figures | {SCORE: rankme(features)} | _neighbours(features, parts)

    def score(self, figures: Mapping[str, Any]) -> float | None:
        """Return RankMe of the features after an epoch; no epoch of the warm-up is kept.

        Parameters
        ----------
        figures : mapping
            "epoch", and what `measure` returned.

        Returns
        -------
        float or None
            The score, higher is better; None in the warm-up, or where features are not finite.
        """
        found = figures.get(SCORE)
        is_known = found is not None and isfinite(found)
        return found if is_known and figures["epoch"] > self.warm_epochs else None

    @property
    def warm_epochs(self) -> int:
        """Epochs of the warm-up, the one in which it ends among them."""
        return ceil(self.config.warmup * self.config.epochs)

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Name a collapse that the figures show.

        Parameters
        ----------
        history : sequence of mapping
            Figures of each epoch, before the first step first.

        Returns
        -------
        str
            What is seen, since which epoch, and what to do; empty for a healthy run.
        """
        found = self.collapse(history)
        return "" if found is None else found.sentence

    def collapse(self, history: Sequence[Mapping[str, Any]]) -> Collapse | None:
        """Find the collapse that the figures show.

        Parameters
        ----------
        history : sequence of mapping
            Figures of each epoch, before the first step first; those of the warm-up are not judged.

        Returns
        -------
        Collapse or None
            Its name, since when, and what to do; None for a healthy run.
        """
        if "feature_std" not in history[-1]:
            return None
        loss = self.objectives()[0].name
        late = [row for row in history if row["epoch"] == 0 or row["epoch"] >= self.warm_epochs]
        seen = [_monitors(row, loss) for row in late]
        return name_collapse(seen, self.kind, guessing=self.guessing)


def _neighbours(features: Any, parts: Sequence[Batch]) -> dict[str, float]:
    """Return the accuracy of a vote of neighbours and its k, if two classes of items are known."""
    labels = _labels(parts)
    if labels is None:
        return {}
    known = labels >= 0
    if known.sum() < FEWEST_LABELLED or len(set(labels[known])) < 2:
        return {}
    subjects = torch.cat([part.subjects for part in parts]).cpu().numpy()
    found = knn_accuracy(features[known], labels[known], subjects=subjects[known])
    return {KNN: found.accuracy, KNN_K: found.k}


def _labels(parts: Sequence[Batch]) -> Any:
    given = [part.labels for part in parts if part.labels is not None]
    return torch.cat(given).cpu().numpy() if given else None


def _array(rows: Sequence[Tensor]) -> Any:
    return torch.cat(list(rows)).float().cpu().numpy()


def _monitors(row: Mapping[str, Any], loss: str) -> Monitors:
    """Make the figures of an epoch of a row of the log; `loss` is the name of the objective."""
    figures: dict[str, Any] = {name: row.get(name) for name in FIGURES}
    return Monitors(row["epoch"], row.get(loss), **figures)
