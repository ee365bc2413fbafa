"""How often `choose_k` finds the right number of groups, and how often it says that there are none.

    python benchmarks/clusters_null.py                  # some three minutes
    python benchmarks/clusters_null.py --repeats 5      # more cohorts of each kind

Cohorts are made: 100 features, 60 to 200 rows; 2 to 4 Gaussians whose centres are 5, 7 or 9 standard
deviations apart, of equal sizes or the first three times the others; and five kinds of one group. "Separable"
are the cohorts whose groups k-means finds when it is told their number (adjusted Rand index >= .9).
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from helpers.made_cohorts import NULLS, groups, no_groups

from medunsup.clustering import KMeans, choose_k
from medunsup.metrics.clustering import ari, clustering_accuracy

SIZES = (60, 120, 200)
KS = range(1, 6)


def make(k: int, seed: int) -> KMeans:
    return KMeans(n_clusters=k, n_init=4, seed=seed)


def chosen(rows: np.ndarray) -> int:
    return choose_k(make, rows, ks=KS, with_curves=False).k


def of_groups(repeats: int) -> None:
    print(f"{'apart':>6} {'sizes':>7} {'K':>2}  chosen for n = {SIZES}")
    right, accuracy, counts = [], [], defaultdict(list)
    for separation in (5, 7, 9):
        for even in (True, False):
            for k in (2, 3, 4):
                found = []
                for seed in range(repeats):
                    for n in SIZES:
                        rows, truth = groups(k, separation, n, even=even, seed=seed)
                        labels = make(k, 0).fit(rows).labels_
                        separable, found_k = ari(truth, labels) >= 0.9, chosen(rows)
                        found.append(f"{found_k}{'' if separable else '*'}")
                        counts[separation].append(found_k == k)
                        if separable:
                            right.append(found_k == k)
                            accuracy.append(clustering_accuracy(truth, make(found_k, 0).fit(rows).labels_))
                print(
                    f"{separation:6} {'even' if even else '3 to 1':>7} {k:2}  {' '.join(found)}", flush=True
                )
    for separation, each in counts.items():
        print(f"right K at {separation} standard deviations: {np.mean(each):.0%} of {len(each)}")
    print(f"right K where groups are separable (no *): {np.mean(right):.0%} of {len(right)}")
    print(f"accuracy with the K chosen, there: {np.mean(accuracy):.3f}")


def of_nulls(repeats: int) -> None:
    everything = []
    for kind in NULLS:
        found = [chosen(no_groups(kind, n, seed=seed)) for seed in range(2 * repeats) for n in SIZES]
        everything += found
        print(f"{kind:>13}: no clusters in {np.mean(np.array(found) == 1):.0%} of {len(found)}", flush=True)
    print(f"no clusters in {np.mean(np.array(everything) == 1):.0%} of {len(everything)} cohorts without any")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=1, help="cohorts of each kind and size")
    given = parser.parse_args()
    of_groups(given.repeats)
    of_nulls(given.repeats)
