"""Try thresholds from healthy scans on other healthy scans: they keep the false-positive rate, or not.

    python benchmarks/false_positives.py
    python benchmarks/false_positives.py --model pca --score zscore --postprocess median=3 --folds 1

Per fold, a model learns from 20 of the 66 healthy scans at 2 mm and scores the other 46. Then, many times
over, some of those are drawn for calibration and one for testing. Given the 46, each draw is an independent
trial that goes wrong with the asked probability: the share gone wrong must lie in the binomial band (99 %).
Budgets of voxels and components move in steps, so that they may fall short of it ("below").

Scans come from MEDUNSUP_DATA (default ../shared/data), prepared ones are kept in --cache.
"""

import argparse
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import gettempdir

import numpy as np
from scipy import stats
from tissue import DATA

from medunsup.anomaly.base import top_mean
from medunsup.anomaly.calibration import Calibration, calibrate
from medunsup.anomaly.detector import Detector
from medunsup.cohort.prepare import prepare
from medunsup.cohort.request import ScanRequest
from medunsup.training.scan_stack import Scans

SPACING_MM = 2.0
VOXEL_MM3 = SPACING_MM**3
N_TRAIN = 20
BAND = 0.99
ALPHAS, SIZES = (0.05, 0.1, 0.2), (9, 19, 39)
SHARE, COMPONENTS, BUDGET_ALPHA = 0.01, 1, 0.1

Measure = Callable[[Calibration, Calibration], float]  # on calibration scans, and on one more


def main() -> None:
    options = parse()
    scans = healthy_scans(options.cache)
    generator = np.random.default_rng(options.seed)
    folds = [calibrated(scans, generator.permutation(len(scans)), options) for _ in range(options.folds)]
    n_trials = options.draws * len(folds)

    def mean(measure: Measure, size: int) -> float:
        return float(np.mean([measure(*drawn) for drawn in draws(folds, size, options.draws, generator)]))

    print(
        f"\n{options.model}, {options.score}: {len(scans)} scans, {len(folds)} folds, {n_trials} trials a row"
    )
    print("\n| promise | calibration scans | asked | seen | 99 % band | kept |\n" + "| --- " * 6 + "|")
    for size in SIZES:
        for name, is_broken, asked in promises(size):
            print_promise(name, size, asked, mean(is_broken, size), n_trials)
    print("\n| on average a scan | calibration scans | asked | seen |\n" + "| --- " * 4 + "|")
    for size, (name, measure, asked) in product(SIZES, AVERAGES):
        print(f"| {name} | {size} | {asked:g} | {mean(measure, size):.3g} |")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="healthy_atlas")
    parser.add_argument("--score", default="deviation")
    parser.add_argument("--postprocess", nargs="*", default=["median=3"])
    parser.add_argument("--min-cluster-mm3", type=float, default=100.0)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=2000, help="calibration and test drawings a fold")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "medunsup_prepared")
    return parser.parse_args()


def healthy_scans(cache: Path) -> Scans:
    cache.mkdir(parents=True, exist_ok=True)
    files = sorted((DATA / "healthy_t1_2mm").glob("*_T1w.nii.gz"))
    made = [prepare(ScanRequest(file), SPACING_MM, cache=cache) for file in files]
    names = tuple(file.name[:6] for file in files)
    return Scans(np.stack([one.values for one in made]), np.stack([one.mask for one in made]), names)


def calibrated(scans: Scans, order: np.ndarray, options: argparse.Namespace) -> Calibration:
    """Learn from the first scans of the order; return the tables of all the others, one row a scan."""
    train, rest = scans.take(order[:N_TRAIN]), scans.take(order[N_TRAIN:])
    detector = Detector(
        model=options.model,
        score=options.score,
        postprocess=tuple(options.postprocess),
        spacing_mm=(SPACING_MM,) * 3,
    ).fit(train.values, masks=train.masks)
    maps = detector.score_map(rest.values, masks=rest.masks)
    scores = [top_mean(one[mask]) for one, mask in zip(maps, rest.masks, strict=True)]
    return calibrate(maps, rest.masks, scores, voxel_mm3=VOXEL_MM3, min_cluster_mm3=options.min_cluster_mm3)


def draws(
    folds: list[Calibration], size: int, n_draws: int, generator: np.random.Generator
) -> Iterator[tuple[Calibration, Calibration]]:
    """Calibration scans and one other, as a calibration of one."""
    for whole in folds:
        for _ in range(n_draws):
            chosen = generator.choice(whole.n, size + 1, replace=False)
            yield rows(whole, chosen[:-1]), rows(whole, chosen[-1:])


def rows(whole: Calibration, chosen: np.ndarray) -> Calibration:
    return replace(
        whole,
        scan_scores=whole.scan_scores[chosen],
        marked_share=whole.marked_share[chosen],
        components=whole.components[chosen],
    )


def promises(size: int) -> Iterator[tuple[str, Measure, float]]:
    """Name each promise, when it is broken, and how often it may be."""
    for alpha in ALPHAS:
        if alpha * (size + 1) >= 1:
            yield f"scan flagged (p <= {alpha:g})", partial(flagged, alpha=alpha), alpha
    if BUDGET_ALPHA * (size + 1) >= 1:
        yield f"over {SHARE:.0%} of the brain marked", over_share, BUDGET_ALPHA
        yield f"over {COMPONENTS} component marked", over_components, BUDGET_ALPHA


def flagged(calibration: Calibration, test: Calibration, *, alpha: float) -> bool:
    return calibration.p_value(test.scan_scores[0]) <= alpha


def over_share(calibration: Calibration, test: Calibration) -> bool:
    return share_above(test, calibration.voxel_threshold(SHARE, alpha=BUDGET_ALPHA)) > SHARE


def over_components(calibration: Calibration, test: Calibration) -> bool:
    return (
        components_above(test, calibration.component_threshold(COMPONENTS, alpha=BUDGET_ALPHA)) > COMPONENTS
    )


def mean_share(calibration: Calibration, test: Calibration) -> float:
    return share_above(test, calibration.voxel_threshold(SHARE))


def mean_components(calibration: Calibration, test: Calibration) -> float:
    return components_above(test, calibration.component_threshold(COMPONENTS))


def share_above(test: Calibration, threshold: float) -> float:
    return float(test.marked_share[0, test.thresholds == np.float32(threshold)][0])


def components_above(test: Calibration, threshold: float) -> float:
    return float(test.components[0, test.thresholds == np.float32(threshold)][0])


AVERAGES: list[tuple[str, Measure, float]] = [
    ("share of the brain marked", mean_share, SHARE),
    ("components marked", mean_components, COMPONENTS),
]


def print_promise(name: str, size: int, asked: float, seen: float, n_trials: int) -> None:
    low, high = (stats.binom.ppf(q, n_trials, asked) / n_trials for q in ((1 - BAND) / 2, (1 + BAND) / 2))
    kept = "yes" if low <= seen <= high else "below" if seen < low else "NO"
    print(f"| {name} | {size} | {asked:g} | {seen:.4f} | {low:.4f} to {high:.4f} | {kept} |")


if __name__ == "__main__":
    main()
