"""Whether scores without labels tell which epoch's encoder is best, and choose better than the last.

    python benchmarks/label_free.py simclr rotation --epochs 8

Pretrains on the training images of PneumoniaMNIST, and after each epoch scores the features of 256 validation
images without labels: RankMe, alpha-ReQ, and LiDAR of four augmented views. Beside it, with labels, the AUC
of a linear probe on the validation images, learned from 200 or all labels of the training images. The test
images are not touched. Printed: Spearman's correlation over the epochs after the warm-up, and the AUC of the
epoch that each score would keep, beside the last and the best there was.
"""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from medunsup.core.registry import method
from medunsup.metrics.label_free import alpha_req, lidar, rankme
from medunsup.selfsupervised import Scans, SelfSupervised
from medunsup.selfsupervised.augmentations.presets import PRESETS, augment
from medunsup.selfsupervised.encode import encode
from medunsup.selfsupervised.learner import PretrainLearner
from medunsup.training import Training
from medunsup.training.learner import View
from medunsup.training.watch import evenly_spread

DATA = Path(os.environ.get("MEDUNSUP_DATA", "../shared/data")) / "images_2d/pneumoniamnist_reconstructed.npz"
FEW, N_SCORED, N_VIEWS = 200, 256, 4
SCORES = ("rankme", "alpha_req", "lidar")
PROBES = (f"AUC, {FEW} labels", "AUC, all labels")

Row = dict[str, float]


class Data:
    """Images of the training and the validation part, and their labels."""

    def __init__(self) -> None:
        with np.load(DATA) as held:
            given = {key: held[key] for key in held.files}
        self.train, self.validation = (_images(given[f"{part}_images"]) for part in ("train", "val"))
        self.train_labels, self.labels = (given[f"{part}_labels"].ravel() for part in ("train", "val"))
        self.few = np.random.default_rng(0).choice(len(self.train), FEW, replace=False)
        self.scored = self.validation[evenly_spread(len(self.validation), N_SCORED)]

    def look(self, learner: PretrainLearner) -> Row:
        """Score the encoder as it is, and probe it."""
        encoder = learner.encoder
        features = encode(encoder, self.scored)
        found = {"rankme": rankme(features), "alpha_req": alpha_req(features), "lidar": self._lidar(learner)}
        rows, asked = encode(encoder, self.train), encode(encoder, self.validation)
        for name, chosen in zip(PROBES, (self.few, np.arange(len(rows))), strict=True):
            probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
            probe.fit(rows[chosen], self.train_labels[chosen])
            found[name] = float(roc_auc_score(self.labels, probe.predict_proba(asked)[:, 1]))
        return found

    def _lidar(self, learner: PretrainLearner) -> float:
        values = torch.from_numpy(self.scored[..., 0])
        view, generator = (
            View(values, torch.ones_like(values, dtype=torch.bool)),
            torch.Generator().manual_seed(7),
        )
        drawn = [augment(view, generator, PRESETS["segmentation"]) for _ in range(N_VIEWS)]
        with torch.no_grad():
            views = [learner.encoder.features(one.values, one.masks).numpy() for one in drawn]
        return lidar(np.stack(views, axis=1))


def _images(given: np.ndarray) -> np.ndarray:
    return (given.astype(np.float32) / 255)[:, None, :, :, None]


def _scans(images: np.ndarray) -> Scans:
    return Scans(images, np.ones(images[:, 0].shape, bool), tuple(str(n) for n in range(len(images))))


def rows_of(name: str, data: Data, parameters: Mapping[str, Any]) -> list[Row]:
    """Pretrain, and look at the encoder before the first epoch and after each."""
    kind: type[SelfSupervised] = method("selfsupervised", name)
    made, rows = kind(kind.Config.parse(parameters)), []
    measure = PretrainLearner.measure

    def measured(learner: PretrainLearner, *given: Any) -> dict[str, float]:
        rows.append(data.look(learner))
        return measure(learner, *given)

    PretrainLearner.measure = measured  # type: ignore[method-assign]
    try:
        training = Training(accelerator="cpu", patience=None, keep="last")
        made.fit(_scans(data.train), validation=_scans(data.validation), training=training)
    finally:
        PretrainLearner.measure = measure  # type: ignore[method-assign]
    return rows


def report(name: str, seed: int, rows: list[Row], warm: int) -> None:
    """Print what each score says of the epochs after the warm-up."""
    for n, row in enumerate(rows):
        print(f"  epoch {n:2d}  " + "  ".join(f"{key} {value:.4g}" for key, value in row.items()))
    late = rows[warm + 1 :]
    for probe in PROBES:
        reached = [row[probe] for row in late]
        print(f"{name}, seed {seed}, {probe}: last {reached[-1]:.4f}, best {max(reached):.4f}")
        for score in SCORES:
            given = [row[score] for row in late]
            kept = int(np.argmax(given))
            says = spearmanr(given, reached).statistic
            print(f"  {score:10s} rho {says:+.2f}, keeps epoch {kept + warm + 1}: {reached[kept]:.4f}")


def main() -> None:
    """Run what is asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("methods", nargs="+")
    asked.add_argument("--epochs", type=int, default=8)
    asked.add_argument("--seeds", type=int, nargs="+", default=[0])
    options, data = asked.parse_args(), Data()
    torch.set_num_threads(1)
    for name in options.methods:
        for seed in options.seeds:
            chosen = {"epochs": options.epochs, "batch_size": 128, "seed": seed}
            rows = rows_of(name, data, chosen)
            report(name, seed, rows, warm=int(np.ceil(0.1 * options.epochs)))


if __name__ == "__main__":
    main()
