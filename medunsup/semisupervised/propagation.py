"""What label propagation and label spreading share: the graph, whose scale comes from the data."""

from abc import abstractmethod
from typing import Any, Literal

import numpy as np
from pydantic import Field

from medunsup.core.errors import ArrayError
from medunsup.core.hints import option
from medunsup.semisupervised.features import UNLABELLED, FeatureClassifier, FeatureConfig, Floats, Labels

SMALLEST = 1e-6  # distance, in standard deviations of a feature
CHANGE = 1e-4  # of a row's label in a pass, on average, at which it ends


class PropagationConfig(FeatureConfig):
    """Parameters of methods that pass labels on along a graph of the rows."""

    kernel: Literal["knn", "rbf"] = Field(
        "rbf",
        description="all rows by their distance, which takes N x N numbers; or neighbours alone, where a "
        "labelled row that is nobody's neighbour passes nothing on",
    )
    neighbours: int = Field(
        7,
        ge=1,
        description="nearest rows that pass their labels on to a row; with `rbf` the kernel falls to 1/e "
        "at the median distance to the last of these",
    )
    class_mass: bool = Field(
        True, description="weigh classes so that the rows have them in the proportions of the labels"
    )
    rounds: int = Field(2000, ge=1, description="most passes along the graph")


class PropagationClassifier(FeatureClassifier):
    """Passes labels on from row to row; a row that no label reaches has equal probabilities.

    scikit-learn's own width (gamma 20) is for few features: with 64 standardised ones no row has a neighbour
    and nearly all get the first class. Here it follows from the distances (Zelnik-Manor & Perona, Self-tuning
    spectral clustering, NeurIPS 2004, with one scale for all rows). Where classes touch, one of them floods
    the graph; class mass normalisation holds it back (Zhu et al., Semi-supervised learning using Gaussian
    fields and harmonic functions, ICML 2003).
    """

    @abstractmethod
    def _model_of(self, **kernel: Any) -> Any:
        """Make scikit-learn's classifier; `kernel` is what both take."""

    def _fit(self, rows: Floats, targets: Labels) -> float:
        config, unknown = self.config, targets == UNLABELLED
        if len(rows) <= config.neighbours:
            most = {"neighbours": len(rows) - 1}
            raise ArrayError(
                f"{len(rows)} rows have no {config.neighbours} neighbours: give {option('parameters', most)}."
            )
        width = _distance(rows, config.neighbours) if config.kernel == "rbf" else 1.0
        self._model = self._model_of(
            kernel=config.kernel,
            gamma=1 / max(width, SMALLEST) ** 2,
            n_neighbors=config.neighbours + 1,
            max_iter=config.rounds,
            tol=CHANGE * len(rows),
        ).fit(rows, targets)
        mass = self._model.label_distributions_.sum(axis=0)
        shares = (np.bincount(targets[~unknown]) + 1) / ((~unknown).sum() + len(mass))
        self._weights = shares / mass if config.class_mass else np.ones_like(mass)
        reached = self._model.label_distributions_.sum(axis=1) > 0
        return float(reached[unknown].mean()) if unknown.any() else 1.0

    def _probabilities(self, rows: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):  # 0 / 0 where no label reaches
            found = self._model.predict_proba(rows) * self._weights
            found /= found.sum(axis=1, keepdims=True)
        return np.where(np.isfinite(found), found, 1 / found.shape[1])


def _distance(rows: Floats, number: int) -> float:
    """Median distance to the neighbour of this number, the row itself not counted."""
    from sklearn.neighbors import NearestNeighbors

    found = NearestNeighbors(n_neighbors=number + 1).fit(rows).kneighbors(rows)[0]
    return float(np.median(found[:, -1]))
