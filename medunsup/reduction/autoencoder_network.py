"""The network of the autoencoder of rows, in the one training loop."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from medunsup.core.watching import passed
from medunsup.training.estimator import Estimator, EstimatorConfig
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.optimizers import Adam
from medunsup.training.scan_stack import Scans

Floats = NDArray[np.float64]

FIELDS = ("epochs", "batch_size", "learning_rate", "seed")


class RowLearner(Learner):
    """Dense layers to a code and back; the loss is the mean squared error."""

    def __init__(self, n_features: int, *, code: int, width: int, layers: int, learning_rate: float) -> None:
        super().__init__()
        hidden = [width] * layers
        self.encoder = dense([n_features, *hidden, code])
        self.decoder = dense([code, *hidden, n_features])
        self.learning_rate = learning_rate

    def objectives(self) -> list[Objective]:
        """Return one objective: both halves together."""
        return [Objective("reconstruction", self.parameters, self.loss, Adam(self.learning_rate))]

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error of the rows."""
        rows = batch.values.flatten(1)
        return Loss((self.decoder(self.encoder(rows)) - rows).square().mean(), {})


class RowAutoencoder(Estimator):
    """The autoencoder of standardised rows; `sizes` has the fields of the method's config."""

    Config = EstimatorConfig
    method_name = "autoencoder"
    learner_: RowLearner

    def __init__(self, sizes: Any) -> None:
        super().__init__(EstimatorConfig(dims=3, **{name: getattr(sizes, name) for name in FIELDS}))
        self.sizes = sizes

    def build(self, shape: tuple[int, ...]) -> RowLearner:
        """Make both halves for rows of shape (1, D, 1, 1)."""
        sizes = self.sizes
        return RowLearner(
            shape[1],
            code=sizes.n_components,
            width=sizes.width,
            layers=sizes.layers,
            learning_rate=sizes.learning_rate,
        )

    def learn(self, rows: Floats) -> float:
        """Learn from rows (N, D), and return their mean squared error. On the CPU: the network is small."""
        scans = Scans.of_arrays(rows)
        self._losses: list[float] = []
        training = Training(accelerator="cpu", patience=None, keep="last", workers=0, tell=self._tell)
        self.fit(scans, training=training)
        learner = self.learner_.eval()
        with torch.no_grad():
            given = torch.from_numpy(scans.values).flatten(1)
            return float((learner.decoder(learner.encoder(given)) - given).square().mean())

    def _tell(self, progress: Progress) -> None:
        """Tell the mean loss of each epoch at its end."""
        self._losses.append(progress.losses["reconstruction"])
        steps = progress.steps // progress.epochs
        if progress.step % steps == 0:
            passed(float(np.mean(self._losses[-steps:])))

    def code(self, row: Floats) -> Floats:
        """Return the code of one row (D,)."""
        with torch.no_grad():
            code: Tensor = self.learner_.eval().encoder(torch.from_numpy(row.astype(np.float32))[None])
        return code[0].numpy().astype(np.float64)


def dense(sizes: list[int]) -> nn.Sequential:
    """Dense layers of these sizes with SELU between them."""
    layers: list[nn.Module] = []
    for n, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.SELU()] * (n > 0) + [nn.Linear(inputs, outputs)]
    return nn.Sequential(*layers)
