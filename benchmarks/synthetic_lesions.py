"""Synthetic lesions in healthy T1w scans: learned models beside their baselines.

    python benchmarks/synthetic_lesions.py --models dae vae --epochs 10
    python benchmarks/synthetic_lesions.py --models dae --scores absolute zscore --set noise_sd=0.3

Scans come from MEDUNSUP_DATA (default ../shared/data): healthy_t1_2mm, trained on sub-01 to 60, tested on 61
to 66. Shapes are those of real MS lesions, brought to 1, 3 and 8 ml and laid anywhere in the brain; contrasts
are -3, -2, +2 and +3 voxel-wise standard deviations of the healthy scans there. AP is the mean over scans;
the interval is that of the difference to the best baseline, over subjects. Lesions are found or not at the
threshold at which the same scans show one component of 0.1 ml each, on average, before lesions are inserted:
one point of the FROC curve.
"""

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import numpy as np
from learning import healthy_files, model_with, on_template_grid
from tissue import DATA

from medunsup.anomaly.baselines import BASELINES, Baselines
from medunsup.anomaly.factory import build_score, scores_for
from medunsup.anomaly.postprocess import postprocess
from medunsup.anomaly.synthetic.sensitivity import (
    Outcome,
    SyntheticLesions,
    sensitivity_surface,
    threshold_at,
)
from medunsup.anomaly.synthetic.shapes import drawn_from
from medunsup.anomaly.voxelwise import VoxelStatistics, VoxelwiseConfig
from medunsup.cli.shared.settings import read_parameters
from medunsup.metrics.bootstrap import compare
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.evaluate.synthetic import read_shapes

SPACING_MM = (ModelSpace().spacing_mm,) * 3
VOXEL_MM3 = float(np.prod(SPACING_MM))
VOLUMES_MM3, CONTRASTS_SD = (1000.0, 3000.0, 8000.0), (-3.0, -2.0, 2.0, 3.0)
MIN_CLUSTER_MM3 = 100.0
Map = Callable[[np.ndarray, np.ndarray], np.ndarray]


def main() -> None:
    asked = parse()
    scans = on_template_grid(healthy_files())
    train, test = scans.take(range(60)), scans.take(range(60, 66))
    spread = VoxelStatistics.of(iter(train), VoxelwiseConfig()).sd
    print_table(measured(methods(asked, train), test, spread, asked.repeats), list(test.names), asked.repeats)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["dae"])
    parser.add_argument("--scores", nargs="+", default=["absolute", "zscore", "deviation"])
    parser.add_argument(
        "--steps", nargs="*", default=["relative=75"], help="post-processing, also of baselines"
    )
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=1, help="lesions a scan, volume and contrast")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--set", action="append", default=[], help="parameters of the models")
    return parser.parse_args()


def methods(asked: argparse.Namespace, train: Scans) -> Iterable[tuple[str, Map]]:
    """Yield baselines and models, each with its map."""
    baselines = Baselines().fit(train)
    for name in BASELINES:  # scans lie on the grid: what works on native voxels is there twice
        if baselines.scores_[name].makes_map and name not in (
            "prevalence",
            "template_grid_high",
            "template_grid_low",
        ):
            yield f"[{name}]", with_steps(asked.steps, partial(baselines.map, name))
    for name in asked.models:
        for seed in asked.seeds:
            yield from learned(name, seed, asked, train)


def learned(name: str, seed: int, asked: argparse.Namespace, train: Scans) -> Iterable[tuple[str, Map]]:
    fields = {"epochs": asked.epochs, "seed": seed, **read_parameters(asked.set)}
    started = time.perf_counter()
    model = model_with(name, fields).fit(train)
    print(f"  {name} trained in {time.perf_counter() - started:.0f} s", flush=True)
    for label in (label for label in asked.scores if label in scores_for(model)):
        score = build_score(label, model=model).fit(model, train)
        score_map = with_steps(asked.steps, partial(score.map, model))
        yield f"{name} {label}" + (f" seed {seed}" if len(asked.seeds) > 1 else ""), score_map


def with_steps(steps: Sequence[str], score_map: Map) -> Map:
    """Add post-processing to a map."""
    return lambda values, mask: postprocess(steps, score_map(values, mask), mask, SPACING_MM)


def measured(
    methods: Iterable[tuple[str, Map]], test: Scans, spread: np.ndarray, repeats: int
) -> dict[str, Outcome]:
    """Look for the same lesions in `test` by each method."""
    shapes = drawn_from(read_shapes(DATA / "ms/lesion_masks_only").shapes, spacing_mm=SPACING_MM)
    lesions = SyntheticLesions(SPACING_MM, tissue=(spread[0] > 0), shape=shapes, repeats=repeats, seed=1)
    rows: dict[str, Outcome] = {}
    for name, score_map in methods:
        started = time.perf_counter()
        threshold = threshold_at(score_map, test, 1, voxel_mm3=VOXEL_MM3, min_cluster_mm3=MIN_CLUSTER_MM3)
        rows[name] = sensitivity_surface(
            score_map,
            test,
            lesions,
            threshold=threshold,
            volumes_mm3=VOLUMES_MM3,
            contrasts_sd=CONTRASTS_SD,
            spread=spread,
            min_cluster_mm3=MIN_CLUSTER_MM3,
        )
        found = ap(rows[name]).mean()
        print(f"  {name}: AP {found:.3f}, {time.perf_counter() - started:.0f} s", flush=True)
    return rows


def ap(outcome: Outcome) -> np.ndarray:
    """AP of each scan over volumes and contrasts, (N,)."""
    return outcome.average_precision.mean(axis=(0, 1))


def print_table(rows: dict[str, Outcome], names: list[str], repeats: int) -> None:
    subjects = [name for name in names for _ in range(repeats)]
    best = max((name for name in rows if name.startswith("[")), key=lambda name: ap(rows[name]).mean())
    at_3sd = [n for n, contrast in enumerate(CONTRASTS_SD) if abs(contrast) == 3]
    print(f"\nBest baseline: {best}\n")
    print("| method | AP / best | AP | difference (95 %) | verdict | found, 3 sd | 2 sd | false a scan |")
    print("| --- " * 8 + "|")
    for name, row in rows.items():
        told = compare(ap(row), ap(rows[best]), subjects=subjects)
        gap = told.difference
        found = row.found
        others = [n for n in range(len(CONTRASTS_SD)) if n not in at_3sd]
        print(
            f"| {name} | {ap(row).mean() / ap(rows[best]).mean():.2f} | {ap(row).mean():.3f} | "
            f"{gap.value:+.3f} ({gap.low:+.3f} to {gap.high:+.3f}) | {told.verdict} | "
            f"{found[:, at_3sd].mean():.0%} | {found[:, others].mean():.0%} | {row.false_positives:.1f} |"
        )


if __name__ == "__main__":
    main()
