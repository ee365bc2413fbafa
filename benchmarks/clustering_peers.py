"""Our deep clustering beside ClustPy's of the same names, on the same rows, in one run.

    pip install --no-deps clustpy                       # it asks for a torchvision that does not import here
    python benchmarks/clustering_peers.py --seeds 10
    python benchmarks/clustering_peers.py --methods dec --data mnist

Both get the pixels of the images as rows and K = 10, each with its own defaults, on one thread. For each
method: the ratio of processor time, ours to theirs, then accuracy by the best matching of clusters and
classes and normalised mutual information, mean and standard deviation over seeds, and the difference of
accuracy, ours less theirs, with a 95 % interval over seeds. ClustPy's methods take rows as they come; ours
take them with one scale for all pixels (`scale="together"`).
"""

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from clustering_deep import Floats, K, Labels, read

from medunsup.core.registry import method
from medunsup.metrics.bootstrap import compare
from medunsup.metrics.clustering import clustering_accuracy, nmi

sys.path.append(str(Path(__file__).parents[1] / "tests"))
from helpers.torchvision_stand_in import torchvision_stand_in

os.environ["TQDM_DISABLE"] = "1"
PEERS = {"dec": "DEC", "idec": "IDEC", "vade": "VaDE", "n2d": "N2D", "kmeans_mlp": "DKM"}


def peer(name: str, rows: Floats, seed: int) -> Labels:
    with torchvision_stand_in():
        from clustpy import deep
    made = getattr(deep, PEERS[name])(n_clusters=K, random_state=seed)
    return made.fit(rows.astype(np.float32)).labels_


def measured(fit: Callable[[int], Labels], classes: Labels, seeds: int) -> tuple[Floats, float]:
    """Return accuracy and NMI (S, 2) of each seed, and the median of seconds of the processor."""
    found, seconds = [], []
    for seed in range(seeds):
        began = time.process_time()
        labels = fit(seed)
        seconds.append(time.process_time() - began)
        found.append((clustering_accuracy(classes, labels), nmi(classes, labels)))
    return np.array(found), float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", choices=("digits", "mnist"), default="digits")
    parser.add_argument("--methods", nargs="+", default=list(PEERS), choices=PEERS)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    images, classes = read(options.data)
    rows = images.reshape(len(images), -1)
    rows = rows[:, np.ptp(rows, axis=0) > 0]
    print(f"{'':12} {'time':>5}  {'ours':26}  {'ClustPy':26}  accuracy, ours less theirs")
    for name in options.methods:
        ours_of = method("clustering", name)
        ours, own_s = measured(
            lambda seed, cls=ours_of: cls(n_clusters=K, scale="together", seed=seed).fit(rows).labels_,
            classes,
            options.seeds,
        )
        theirs, their_s = measured(lambda seed, name=name: peer(name, rows, seed), classes, options.seeds)
        said = [
            "  ".join(f"{m:.3f} ± {s:.3f}" for m, s in zip(one.mean(0), one.std(0), strict=True))
            for one in (ours, theirs)
        ]
        gain = compare(ours[:, 0], theirs[:, 0])
        less = gain.difference
        print(
            f"{name:12} {own_s / their_s:5.2f}  {said[0]}  {said[1]}  "
            f"{less.value:+.3f} [{less.low:+.3f}, {less.high:+.3f}] {gain.verdict} "
            f"({own_s:.0f} s, {their_s:.0f} s)",
            flush=True,
        )


if __name__ == "__main__":
    main()
