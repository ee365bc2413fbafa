"""What the bundled models promise, held against scans they have not seen, and whom they remember.

    python benchmarks/shipped_models.py
    python benchmarks/shipped_models.py --folds 7 --others a_T1w.nii.gz b_T1w.nii.gz

1. False positives by cross-fitting: of sub-01 to 63, each fold is held out in turn; of the others 19 are
   drawn for calibration, the rest is learned from, as the shipped atlas was. Each held-out scan gets a
   p-value from a model that has not seen its fold. The share called unusual must lie in the binomial band.
   Sub-64 to 66 are judged by the shipped models themselves.
2. Memory: the largest correlation, over the brain, of any image that a model keeps with a scan it learned
   from, beside that with scans it has not seen. A model that keeps nobody shows the same for both.
3. With --synthetic-lesions: what the models and their baselines find of synthetic lesions in sub-64 to 66.
4. With --others: what the shipped models say of these scans.

Scans come from MEDUNSUP_DATA (default ../shared/data): healthy_t1_2mm.
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from learning import healthy_files, on_template_grid
from scipy import stats
from synthetic_lesions import Map, measured, print_table

import medunsup
from medunsup.anomaly.distribution_shift import flags, learn_card
from medunsup.anomaly.fitted_detector import HealthyModel
from medunsup.metrics.components import components
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.train.fit import fit_and_calibrate
from medunsup.workflows.train.model_folder import BASELINE_ARRAYS, ModelFolder
from medunsup.workflows.train.shipped import shipped_models

N_KNOWN, N_CALIBRATION = 63, 19  # scans that models may know; the last three are kept aside
ALPHAS, BAND = (0.05, 0.1, 0.2), 0.95


def main() -> None:
    asked = parse()
    scans = on_template_grid(healthy_files())
    models = {name: medunsup.read_model(name) for name in shipped_models()}
    if asked.folds:
        cross_fitted(models["t1w_2mm_atlas"], scans, asked.folds, asked.seed)
    for name, model in models.items():
        print(f"\n{name}, on scans kept aside:")
        for n in range(N_KNOWN, len(scans)):
            print(f"  {scans.names[n]}: {words(judged(model, scans.values[n], scans.masks[n]))}")
    for name, model in models.items():
        remembered(name, model, scans)
    if asked.synthetic_lesions:
        kept_aside = scans.take(range(N_KNOWN, len(scans)))
        spread = next(iter(models.values())).baselines.spread
        print_table(measured(methods(models), kept_aside, spread, 1), list(kept_aside.names), 1)
    for file in asked.others:
        for name, model in models.items():
            result = medunsup.detect(file, model)
            told = ", ".join(flag.name for flag in result.flags) or "no flag"
            print(
                f"{file.name}, {name}: p {result.scan.p_value:.3f}, {len(result.findings)} findings, {told}"
            )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folds", type=int, default=7, help="0: no cross-fitting")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--synthetic-lesions", action="store_true", help="synthetic lesions in the scans kept aside"
    )
    parser.add_argument("--others", type=Path, nargs="*", default=[])
    return parser.parse_args()


def cross_fitted(like: ModelFolder, scans: Scans, n_folds: int, seed: int) -> None:
    """Print how often a scan is called unusual by a model made like `like` that has not seen it."""
    generator = np.random.default_rng(seed)
    found = []
    for fold in np.array_split(generator.permutation(N_KNOWN), n_folds):
        others = generator.permutation(np.setdiff1d(np.arange(N_KNOWN), fold))
        train, held_out = scans.take(others[N_CALIBRATION:]), scans.take(others[:N_CALIBRATION])
        fitted = fit_and_calibrate(like.settings, {"train": train, "calibration": held_out})
        card = learn_card(train, coarsest_mm=2.0, middle=ModelSpace(fitted.spacing_mm).middle)
        for values, mask in scans.take(fold):
            found.append(judge(fitted, card, values, mask))
        print(f"  fold of {len(fold)} done", flush=True)
    p_values, n_findings, is_flagged = (np.array(column) for column in zip(*found, strict=True))
    print(f"\n{len(found)} scans, each judged by an atlas that has not seen it ({n_folds} folds):")
    print("\n| p at most | called unusual | share | 95 % binomial band |\n| --- | --- | --- | --- |")
    for alpha in ALPHAS:
        n = int((p_values <= alpha + 1e-9).sum())
        low, high = (stats.binom.ppf(q, len(found), alpha) for q in ((1 - BAND) / 2, (1 + BAND) / 2))
        print(f"| {alpha} | {n} of {len(found)} | {n / len(found):.3f} | {low:.0f} to {high:.0f} |")
    print(f"\nfindings a scan (1 was asked for): {n_findings.mean():.2f}, most {n_findings.max()}")
    print(f"flagged as unlike the known: {is_flagged.sum()} of {len(found)}")


def judged(model: ModelFolder, values: np.ndarray, mask: np.ndarray) -> tuple[float, int, bool]:
    return judge(model.healthy, model.data_card, values, mask)


def judge(
    fitted: HealthyModel, card: object, values: np.ndarray, mask: np.ndarray
) -> tuple[float, int, bool]:
    """Return p-value, findings at one a healthy scan, and whether the scan is flagged."""
    found, calibration = fitted.map(values, mask), fitted.calibration
    marked = (found > calibration.component_threshold(1)) & mask
    voxel_mm3, least_mm3 = fitted.spacing_mm**3, calibration.min_cluster_mm3
    _, n_findings = components(marked, voxel_mm3=voxel_mm3, least_mm3=least_mm3)
    p_value = calibration.p_value(fitted.scan_score(values, mask, found))
    return p_value, n_findings, bool(flags(card, values, mask, coarsest_mm=2.0))


def words(found: tuple[float, int, bool]) -> str:
    p_value, n_findings, is_flagged = found
    return f"p {p_value:.2f}, {n_findings} findings, {'flagged' if is_flagged else 'not flagged'}"


def remembered(name: str, model: ModelFolder, scans: Scans) -> None:
    """Print the largest correlation of each image that is kept with scans of each split."""
    splits = model.subjects
    own = [n for n, subject in enumerate(scans.names) if splits.get(subject) == "train"]
    new = [n for n, subject in enumerate(scans.names) if splits.get(subject) != "train"]
    print(f"\n{name}: correlation of what is kept with {len(own)} scans learned from and {len(new)} others\n")
    print("| image | learned from: largest (mean) | others: largest (mean) |\n| --- | --- | --- |")
    for kept, image in images(model):
        at = {n: correlation(image, scans.values[n, 0], scans.masks[n]) for n in own + new}
        cells = [f"{max(at[n] for n in who):.3f} ({np.mean([at[n] for n in who]):.3f})" for who in (own, new)]
        print(f"| {kept} | {cells[0]} | {cells[1]} |")


def methods(models: dict[str, ModelFolder]) -> Iterator[tuple[str, Map]]:
    """Yield the maps of the models, and of the baselines that come with the first."""
    for name, model in models.items():
        yield name, model.healthy.map
    baselines = next(iter(models.values())).baselines
    for name, score in baselines.scores_.items():
        if score.makes_map and name not in ("prevalence", "template_grid_high", "template_grid_low"):
            yield f"[{name}]", partial(baselines.map, name)


def images(model: ModelFolder) -> Iterator[tuple[str, np.ndarray]]:
    """Yield all arrays on the grid that the folder holds; a network's weights are no images."""
    grid = model.shape[1:]
    stored = model.arrays | model.files.arrays(BASELINE_ARRAYS)
    for name, value in sorted(stored.items()):
        if value.shape[-3:] == grid and value.dtype != bool:
            yield name, value.reshape(-1, *grid)[0]


def correlation(image: np.ndarray, values: np.ndarray, mask: np.ndarray) -> float:
    return float(abs(np.corrcoef(image[mask], values[mask])[0, 1]))


if __name__ == "__main__":
    main()
