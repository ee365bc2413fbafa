"""Gliomas on FLAIR: every model beside a threshold on the intensity itself.

    python benchmarks/tumours.py                                        # classic models and outlier scores
    python benchmarks/tumours.py --models dae ae vae --epochs 40 --seeds 0 1 2
    python benchmarks/tumours.py --development --models dae --set noise_sd=0.3   # to choose on

Scans come from MEDUNSUP_DATA (default ../shared/data): the slices of patients 0005 and 0006 in which experts
marked no tumour are learned from, patients 0003 and 0004 are looked at; with --development each of 0005 and
0006 is looked at by what the other taught. Models live at 2 mm, maps are brought back to 1 mm before average
precision is taken, per patient and pooled. Two patients are little: a difference between two rows of this
table is not evidence.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from learning import model_with
from scipy import ndimage
from sklearn.metrics import average_precision_score
from tissue import DATA

from medunsup.anomaly.baselines import Baselines
from medunsup.anomaly.factory import build_score, scores_for
from medunsup.anomaly.postprocess import postprocess
from medunsup.cli.shared.settings import read_parameters
from medunsup.io.load import load
from medunsup.training.scan_stack import Scans

PARTS = {"0003": "validation", "0004": "validation", "0005": "train", "0006": "train"}
FOLDS = [(("0005", "0006"), ("0003", "0004"))]  # learned from, looked at
DEVELOPMENT = [(("0006",), ("0005",)), (("0005",), ("0006",))]
FILES = {"FLAIR": "Flair_subtrMeanDivStd", "T1c": "T1c_subtrMeanDivStd"}
FACTOR, SIDES = 2, 16
SPREADS = 5.0
FLOORS = {
    "[intensity rank]": "intensity_high",
    "[rank, median 3³]": "rank_high",
    "[dark rank, median 3³]": "rank_low",
}
BASELINE = "[intensity at 2 mm, same steps]"  # what coarser voxels and the steps are worth without a model
PATCHES = ("lof", "knn", "ecod", "mcd")
Map = np.ndarray


@dataclass(frozen=True)
class Case:
    """One patient at 1 mm: `values` (C, I, J, K), `brain` and `tumour` (I, J, K)."""

    name: str
    values: np.ndarray
    brain: np.ndarray
    tumour: np.ndarray


def main() -> None:
    asked = parse()
    cases = {number: read(number, asked.contrasts) for number in PARTS}
    rows: dict[str, list[Map]] = defaultdict(list)
    test: list[Case] = []
    for learned_from, looked_at in DEVELOPMENT if asked.development else FOLDS:
        unseen = [cases[number] for number in looked_at]
        test += unseen
        for label, name in FLOORS.items():
            rows[label] += [Baselines().map(name, case.values[:1], case.brain) for case in unseen]
        bright = Baselines().scores_["template_grid_high"]
        rows[BASELINE] += [on_scan(bright, None, case, asked.steps) for case in unseen]
        for label, score, model in learned(asked, without_tumours([cases[n] for n in learned_from])):
            rows[label] += [on_scan(score, model, case, asked.steps) for case in unseen]
    print_table(rows, test)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", nargs="*", default=["pca"])
    parser.add_argument("--scores", nargs="+", default=["positive", "absolute", "deviation"])
    parser.add_argument("--patches", nargs="*", default=PATCHES, help="PyOD's detectors on local features")
    parser.add_argument("--contrasts", nargs="+", default=["FLAIR"], choices=list(FILES))
    parser.add_argument("--steps", nargs="*", default=["median=3"])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--development", action="store_true", help="0005 and 0006 alone, to choose on")
    parser.add_argument("--set", action="append", default=[], help="parameters of the models")
    return parser.parse_args()


def read(number: str, contrasts: Sequence[str]) -> Case:
    """Read one patient and scale each contrast: the brain's median to 0.5, five robust spreads to 0 and 1."""
    folder = DATA / "tumour_brats" / PARTS[number] / f"brats_2013_pat{number}_1"
    brain = load(folder / "brainmask.nii.gz").data > 0
    values = []
    for contrast in contrasts:
        data = load(folder / f"{FILES[contrast]}.nii.gz").data
        middle = np.median(data[brain])
        spread = 1.4826 * np.median(np.abs(data[brain] - middle))
        scaled = np.clip(0.5 + (data - middle) / (2 * SPREADS * spread), 0, 2)
        values.append(np.where(brain, scaled, 0).astype(np.float32))
    return Case(number, np.stack(values), brain, load(folder / "OTMultiClass.nii.gz").data > 0)


def coarse(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Bring a case to 2 mm, with sides that deep models can halve four times."""
    inside = blocks(case.brain[None].astype(np.float32))[0]
    mask = inside > 0.5
    values = blocks(case.values) / np.where(inside > 0, inside, 1)
    return (values * mask).astype(np.float32), mask


def blocks(values: np.ndarray) -> np.ndarray:
    """Mean over blocks of 2³ voxels, padded with zeros."""
    pads = [(0, -side % (FACTOR * SIDES)) for side in values.shape[1:]]
    values = np.pad(values, [(0, 0), *pads])
    channels, *sides = values.shape
    i, j, k = (side // FACTOR for side in sides)
    return values.reshape(channels, i, FACTOR, j, FACTOR, k, FACTOR).mean(axis=(2, 4, 6))


def without_tumours(cases: Sequence[Case]) -> Scans:
    """Gather the slices of 2 mm without tumour as scans whose masks hold nothing else."""
    brought = [coarse(case) for case in cases]
    masks = [mask & without_tumour(case) for (_, mask), case in zip(brought, cases, strict=True)]
    names = tuple(case.name for case in cases)
    print(
        f"{sum(mask.any(axis=(0, 1)).sum() for mask in masks)} slices without tumour of {' and '.join(names)}"
    )
    return Scans(np.stack([values for values, _ in brought]), np.stack(masks), names)


def without_tumour(case: Case) -> np.ndarray:
    """Say which slices of 2 mm hold no tumour, as (1, 1, K)."""
    return ~(blocks(case.tumour[None].astype(np.float32))[0] > 0).any(axis=(0, 1), keepdims=True)


def learned(asked: argparse.Namespace, healthy: Scans) -> Iterable[tuple[str, Any, Any]]:
    """Fit everything asked for; yields label, score and model."""
    for name in asked.patches:
        yield f"{name} of patches", build_score(name, {"on": "patches"}).fit(None, healthy), None
    for name in asked.models:
        for seed in asked.seeds:
            started = time.perf_counter()
            chosen = {"epochs": asked.epochs, "seed": seed, **read_parameters(asked.set)}
            model = model_with(name, chosen).fit(healthy)
            print(f"  {name}, seed {seed}: {time.perf_counter() - started:.0f} s", flush=True)
            for label in (label for label in asked.scores if label in scores_for(model)):
                yield (
                    f"{name} {label}, seed {seed}",
                    build_score(label, model=model).fit(model, healthy),
                    model,
                )


def on_scan(score: Any, model: Any, case: Case, steps: Sequence[str]) -> Map:
    """Map a case at 2 mm and resample the map to native space."""
    values, mask = coarse(case)
    spacing = (float(FACTOR),) * 3
    found = postprocess(tuple(steps), score.map(model, values, mask), mask, spacing)
    # Block centres lie half a voxel off the first corner.
    at = [(np.arange(side) - (FACTOR - 1) / 2) / FACTOR for side in case.brain.shape]
    fine = ndimage.map_coordinates(found, np.meshgrid(*at, indexing="ij"), order=1, mode="nearest")
    return fine * case.brain


def print_table(rows: dict[str, list[Map]], test: Sequence[Case]) -> None:
    """Pooled means over the voxels of both patients, which their own scales must allow."""
    inside = [case.brain for case in test]
    truth = [case.tumour[brain] for case, brain in zip(test, inside, strict=True)]
    scores = {
        name: [one[brain] for one, brain in zip(maps, inside, strict=True)] for name, maps in rows.items()
    }
    floor = pooled(scores["[rank, median 3³]"], truth)
    print("\n| method | pooled AP - floor | pooled AP | " + " | ".join(case.name for case in test) + " |")
    print("| --- " * (3 + len(test)) + "|")
    for name, found in scores.items():
        own = [average_precision_score(t, s) for s, t in zip(found, truth, strict=True)]
        ap = pooled(found, truth)
        print(f"| {name} | {ap - floor:+.3f} | {ap:.3f} | " + " | ".join(f"{one:.3f}" for one in own) + " |")


def pooled(scores: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> float:
    return float(average_precision_score(np.concatenate(truth), np.concatenate(scores)))


if __name__ == "__main__":
    main()
