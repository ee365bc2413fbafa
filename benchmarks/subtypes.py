"""Whether `choose_k` finds subtypes of atrophy that were put into real brains, and none where there are none.

    python benchmarks/subtypes.py --cache /tmp/subtypes       # the first time 12 minutes more for tissues
    python benchmarks/subtypes.py --cache /tmp/subtypes --repeats 3
    python benchmarks/subtypes.py --cache /tmp/subtypes --table heads.csv   # a table for `medunsup cluster`

Real are the 66 heads of `healthy_t1_2mm`: each is prepared as `embed` does it, and its grey matter found on
the template grid at 2 mm. Features are the grey matter of 100 compact regions (k-means of where the template
has grey matter), in logarithms, less the mean of the head: how large a region is beside the others.

Simulated is the atrophy. A subtype is 20 neighbouring regions, and a smooth displacement that draws tissue
towards the middle of each, over 10 mm (sd). The grey matter of a region is multiplied voxel by voxel by the
Jacobian determinant of the displacement, as if the region's outline moved with the tissue; scans are not
warped. The separation is the loss of grey matter at those middles, 30, 45 or 60 %, and the severity of each
patient is drawn between 0.7 and 1.3 times that (in logarithms). Subtypes have no region in common.

Cohorts of 66 are the real heads, each once. Those of 132 and 198 are simulated: a Gaussian with the shrunk
covariance (Ledoit and Wolf 2004) of the 66. "Separable" are cohorts whose subtypes k-means finds when it is
told K (adjusted Rand index >= .9).

Null cohorts: the 66 heads less 16, drawn anew each time; simulated ones; and simulated ones that all have one
subtype of 45 %, spread evenly from none to all of it, which is a gradient and no clusters.
"""

import argparse
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

DATA = Path(os.environ.get("MEDUNSUP_DATA", "../shared/data")) / "healthy_t1_2mm"
SPACING_MM, REGIONS, ZONE, WIDTH_MM = 2.0, 100, 20, 10.0
LOSSES, SIZES, KS = (0.30, 0.45, 0.60), (66, 132, 198), range(1, 6)
SETS, MOST = 3, 4  # sets of subtypes that have no region in common


def grey_matter(cache: Path) -> np.ndarray:
    """Return the grey matter (N, I, J, K) of all heads as a share of their brain masks, kept in `cache`."""
    from medunsup.cohort.prepare import prepare
    from medunsup.cohort.request import ScanRequest
    from medunsup.cohort.settings import ReadSettings
    from medunsup.cohort.tissue_fractions import template_priors, tissue_fractions

    cache.mkdir(parents=True, exist_ok=True)
    priors, found = template_priors(SPACING_MM), []
    for path in sorted(DATA.glob("*_T1w.nii.gz")):
        kept = cache / f"{path.name.split('_')[0]}.npy"
        if not kept.exists():
            made = prepare(ScanRequest(path, ReadSettings(contrast="T1w")), SPACING_MM)
            tissues = tissue_fractions(
                made.values, made.mask, priors, contrast=made.contrast, spacing_mm=SPACING_MM
            )
            np.save(kept, (tissues[0] * made.mask / made.mask.sum()).astype(np.float32))
        found.append(np.load(kept))
    return np.stack(found)


class Heads:
    """Regional grey matter of all heads, as it is and with a subtype."""

    def __init__(self, grey: np.ndarray) -> None:
        from sklearn.cluster import KMeans

        from medunsup.preprocess.geometry.template_grid import ModelSpace

        at = np.argwhere(ModelSpace(SPACING_MM).tissues[0] > 0.3)
        regions = KMeans(REGIONS, n_init=1, max_iter=30, random_state=0).fit(at)
        self.centres, self.labels = SPACING_MM * regions.cluster_centers_, regions.labels_
        self.at, self.shape = tuple(at.T), grey.shape[1:]
        self.grey = grey[(slice(None), *self.at)]
        self.logs = self._logs(np.ones(self.shape))

    def _logs(self, weight: np.ndarray) -> np.ndarray:
        """Return the logarithm of the grey matter (N, 100) of each region, weighed voxel by voxel."""
        weighed = self.grey * weight[self.at]
        return np.log([np.bincount(self.labels, head, minlength=REGIONS) for head in weighed])

    def effects(self, zone: np.ndarray, loss: float) -> np.ndarray:
        """Return what a subtype adds to the logarithms (N, 100)."""
        return self._logs(jacobian(self.centres[zone], loss, self.shape)) - self.logs

    def zones(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Draw 4 times 20 neighbouring regions, none of them twice."""
        while True:
            found: list[np.ndarray] = []
            for _ in range(200):
                to = self.centres - self.centres[generator.integers(REGIONS)]
                zone = np.argsort((to**2).sum(axis=1))[:ZONE]
                if not np.isin(zone, np.concatenate([*found, [-1]])).any():
                    found.append(zone)
                if len(found) == MOST:
                    return found


def jacobian(points: np.ndarray, loss: float, shape: tuple[int, ...]) -> np.ndarray:
    """Return the Jacobian determinant (I, J, K) of a displacement towards points (P, 3) in mm."""
    grid = SPACING_MM * np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij")).astype(float)
    moved, pull = grid.copy(), 1 - (1 - loss) ** (1 / 3)
    for point in points:
        away = grid - point[:, None, None, None]
        moved -= pull * away * np.exp(-(away**2).sum(axis=0) / (2 * WIDTH_MM**2))
    partial = np.stack([np.stack(np.gradient(axis, SPACING_MM)) for axis in moved])
    found = np.linalg.det(np.moveaxis(partial, (0, 1), (-2, -1)))
    assert found.min() > 0, "tissue would fold"
    return found


class Cohorts:
    """Cohorts of real or simulated heads with subtypes, as standardised features."""

    def __init__(self, heads: Heads) -> None:
        from sklearn.covariance import LedoitWolf

        self.logs = heads.logs
        self.sets = [heads.zones(np.random.default_rng(seed)) for seed in range(SETS)]
        self.added = {
            (which, n, loss): heads.effects(zone, loss)
            for which, zones in enumerate(self.sets)
            for n, zone in enumerate(zones)
            for loss in LOSSES
        }
        self.covariance = LedoitWolf().fit(self.logs).covariance_

    def _healthy(self, n: int, generator: np.random.Generator) -> np.ndarray:
        if n <= len(self.logs):
            return self.logs[generator.permutation(len(self.logs))[:n]]
        return generator.multivariate_normal(self.logs.mean(axis=0), self.covariance, n)

    def subtypes(
        self, k: int, loss: float, n: int, *, even: bool, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features (N, 100) and the subtype of each patient (N,)."""
        generator = np.random.default_rng([seed, n, k])
        shares = np.ones(k) if even else np.array([3.0] + [1.0] * (k - 1))
        bounds = np.round(n * np.cumsum(shares / shares.sum())).astype(int)
        truth = generator.permutation(np.searchsorted(bounds, np.arange(n), side="right"))
        effects = np.stack([self.added[seed % SETS, m, loss].mean(axis=0) for m in range(k)])
        severity = generator.uniform(0.7, 1.3, size=(n, 1))
        return standardised(self._healthy(n, generator) + severity * effects[truth]), truth

    def null(self, kind: str, n: int, seed: int) -> np.ndarray:
        """Return features (N, 100) of a cohort without clusters."""
        generator = np.random.default_rng([seed, n])
        rows = self._healthy(n, generator)
        if kind == "gradient":
            rows = rows + generator.uniform(0, 1, size=(n, 1)) * self.added[seed % SETS, 0, 0.45].mean(axis=0)
        return standardised(rows)


def standardised(logs: np.ndarray) -> np.ndarray:
    rows = logs - logs.mean(axis=1, keepdims=True)
    return (rows - rows.mean(axis=0)) / rows.std(axis=0)


def make(k: int, seed: int):
    from medunsup.clustering import KMeans

    return KMeans(n_clusters=k, n_init=4, seed=seed)


def chosen(rows: np.ndarray) -> int:
    from medunsup.clustering import choose_k

    return choose_k(make, rows, ks=KS, with_curves=False).k


def of_subtypes(cohorts: Cohorts, repeats: int) -> None:
    from medunsup.metrics.clustering import ari, clustering_accuracy

    right, accuracy, by_loss = [], [], defaultdict(list)
    print(f"{'loss':>5} {'sizes':>7} {'K':>2}  chosen for n = {SIZES}; * not separable")
    for loss in LOSSES:
        for even in (True, False):
            for k in (2, 3, 4):
                found = []
                for seed in range(repeats):
                    for n in SIZES:
                        rows, truth = cohorts.subtypes(k, loss, n, even=even, seed=seed)
                        told = ari(truth, make(k, 0).fit(rows).labels_) >= 0.9
                        number = chosen(rows)
                        found.append(f"{number}{'' if told else '*'}")
                        by_loss[loss].append((told, number == k))
                        if told:
                            right.append(number == k)
                            accuracy.append(clustering_accuracy(truth, make(number, 0).fit(rows).labels_))
                sizes = "even" if even else "3 to 1"
                print(f"{loss:5.0%} {sizes:>7} {k:2}  {' '.join(found)}", flush=True)
    for loss, each in by_loss.items():
        told, hit = np.mean(each, axis=0)
        print(f"loss of {loss:.0%}: separable {told:.0%} of {len(each)}, right K in {hit:.0%} of all")
    print(f"right K where subtypes are separable: {np.mean(right):.0%} of {len(right)}")
    print(f"accuracy with the K chosen, there: {np.mean(accuracy):.3f}")


def nulls(repeats: int) -> Iterator[tuple[str, int, int]]:
    for seed in range(4 * repeats):
        yield "real heads", 50, seed
        for n in SIZES[1:]:
            yield "simulated heads", n, seed
            yield "gradient", n, seed


def of_nulls(cohorts: Cohorts, repeats: int) -> None:
    found = defaultdict(list)
    for kind, n, seed in nulls(repeats):
        found[kind].append(chosen(cohorts.null(kind, n, seed)) == 1)
    for kind, each in found.items():
        print(f"{kind:>16}: no clusters in {np.mean(each):.0%} of {len(each)}")
    every = np.concatenate(list(found.values()))
    print(f"no clusters in {np.mean(every):.0%} of {len(every)} cohorts without any")


def write_table(heads: Heads, path: Path) -> None:
    """Write the features of the real heads, with age and sex."""
    import pandas as pd

    people = pd.read_csv(DATA / "participants.tsv", sep="\t").set_index("participant_id")
    names = [scan.name.split("_")[0] for scan in sorted(DATA.glob("*_T1w.nii.gz"))]
    table = pd.DataFrame(standardised(heads.logs), columns=[f"region{n:03}" for n in range(REGIONS)])
    for column, values in (("sex", people["gender"]), ("age", people["age"])):
        table.insert(0, column, values.reindex(names).to_numpy())
    table.insert(0, "subject", names)
    table.to_csv(path, index=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder for tissue maps")
    parser.add_argument("--repeats", type=int, default=1, help="cohorts of each kind")
    parser.add_argument("--table", type=Path, help="write the real heads' features here, and end")
    given = parser.parse_args()
    real = Heads(grey_matter(given.cache))
    if given.table:
        write_table(real, given.table)
        raise SystemExit
    made = Cohorts(real)
    of_nulls(made, given.repeats)
    of_subtypes(made, given.repeats)
