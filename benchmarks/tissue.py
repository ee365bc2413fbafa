"""Tissue labels against manual and silver standards: ours, the plain methods, and installed peers.

    python benchmarks/tissue.py                      # every set, every method that is installed
    python benchmarks/tissue.py --sets malf --methods atlas_gmm gmm --scans 1000 1128
    python benchmarks/tissue.py --set coupling=0 --set use_priors=false      # an ablation of the default

Scans come from MEDUNSUP_DATA (default ../shared/data); masks are given, so that only tissues are compared.
Dice is taken where a label is. `CSF+` counts unlabelled voxels of the mask as CSF. `CPU` is the method
alone, with its registered priors where it uses them, as a ratio to the default's. Peers not installed
are left out; docs/evidence/speed.md tells how to install them.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.cli.shared.settings import read_parameters
from medunsup.core.labels import TISSUES
from medunsup.core.record import Step
from medunsup.core.registry import method, methods
from medunsup.core.volume import Volume
from medunsup.io.load import load
from medunsup.metrics.segmentation import dice
from medunsup.preprocess.brain_extraction.brain_mask import Brain
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.intensity.channels import scale_one
from medunsup.preprocess.intensity.evened import evened_out
from medunsup.preprocess.intensity.normalize import winsorize_and_scale
from medunsup.preprocess.registration.affine import Registration, register_template
from medunsup.tissue.base import TissueInput
from medunsup.tissue.priors import tissue_priors

DATA = Path(os.environ.get("MEDUNSUP_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
DEFAULT = "atlas_gmm"
PEERS = ("fast", "atropos", "n4_atropos", "hmrf")


@dataclass(frozen=True)
class Case:
    """One scan with its truth (0 none, 1 GM, 2 WM, 3 CSF) and what every method gets of it."""

    name: str
    data: TissueInput
    truth: np.ndarray
    spacing_mm: tuple[float, float, float]
    prior_seconds: float = 0.0
    fast: np.ndarray | None = None


def main() -> None:
    options = parse()
    for name in options.sets:
        rows: dict[str, list[list[float]]] = {}
        for case in SETS[name](options.scans):
            for label in options.methods:
                scores = score(case, label, read_parameters(options.set))
                if scores is not None:
                    rows.setdefault(label, []).append(scores)
                    print(f"  {case.name:>12} {label:18}", *(f"{value:6.3f}" for value in scores), flush=True)
        print_table(name, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    known = [card.name for card in methods("tissue")]
    parser.add_argument("--methods", nargs="+", default=[DEFAULT, *sorted(set(known) - {DEFAULT}), *PEERS])
    parser.add_argument("--scans", nargs="+", default=None, help="only these")
    parser.add_argument("--set", action="append", default=[], help="parameters of the default")
    return parser.parse_args()


def score(case: Case, label: str, parameters: dict[str, Any]) -> list[float] | None:
    """Dice of GM, WM, CSF where labelled, CSF with unlabelled voxels as CSF, CPU seconds; None if absent."""
    started = time.process_time()
    labels = PEER_CALLS[label](case) if label in PEER_CALLS else ours(case, label, parameters)
    seconds = time.process_time() - started + (case.prior_seconds if label == DEFAULT else 0.0)
    if labels is None:
        return None
    labelled = case.truth > 0
    everything = np.where(case.data.mask & ~labelled, 3, case.truth)
    scores = [dice(labels, case.truth, tissue.index, where=labelled) for tissue in TISSUES]
    return [*scores, dice(labels, everything, 3), seconds]


def ours(case: Case, label: str, parameters: dict[str, Any]) -> np.ndarray:
    kind: Any = method("tissue", label)
    config = kind.Config.parse(parameters if label == DEFAULT else {}, where="--set")
    return kind(config).fit(case.data).labels_


def print_table(name: str, rows: dict[str, list[list[float]]]) -> None:
    print(f"\n{name}\n| method | n | GM | WM | CSF | CSF+ | worst GM | worst WM | CPU ratio | CPU s |")
    print("| --- " * 10 + "|")
    base = np.median([row[4] for row in rows.get(DEFAULT, [[np.nan] * 5])])
    for label, scores in rows.items():
        table = np.array(scores)
        mean, least, seconds = np.nanmean(table, axis=0), table.min(axis=0), np.median(table[:, 4])
        cells = [f"{value:.3f}" for value in (*mean[:4], least[0], least[1])]
        print(
            f"| {label} | {len(table)} | "
            + " | ".join([*cells, f"{seconds / base:.2f}", f"{seconds:.1f}"])
            + " |"
        )
    print()


def manual_scans(chosen: list[str] | None) -> Iterator[Case]:
    folder = DATA / "tissue_malf"
    for scan in sorted(folder.glob("*_T1w.nii.gz")):
        name = scan.name[:4]
        if chosen is None or name in chosen:
            mask = read_labels(folder / f"{name}_mask.nii.gz") > 0
            fast = read_labels(folder / f"{name}_FAST.nii.gz")
            yield case_of(name, load(scan), mask, read_labels(folder / f"{name}_manual.nii.gz"), fast)


def freesurfer_scan(_: list[str] | None) -> Iterator[Case]:
    image = load(DATA / "tissue_silver/voxelmorph/T1_norm.nii.gz")
    truth = np.array([0, 3, 1, 2])[read_labels(DATA / "tissue_silver/voxelmorph/tissue.nii.gz")]
    yield case_of("voxelmorph", image, image.data > 0, truth)


def fast_scan(_: list[str] | None) -> Iterator[Case]:
    folder = DATA / "tissue_silver/rorden"
    image = load(folder / "bet.nii.gz")
    gm, wm = load(folder / "pve_1.nii.gz").data, load(folder / "pve_2.nii.gz").data
    mask = image.data > 0
    truth = np.where(mask, np.argmax(np.stack([gm, wm, 1 - gm - wm]), axis=0) + 1, 0)
    yield case_of("rorden", image, mask, truth)


def ibsr_slices(chosen: list[str] | None) -> Iterator[Case]:
    """Coronal slices of one subject as one stack, without a place in the world and so without priors."""
    stored = np.load(DATA / "tissue_ibsr_2d/ibsr_slices_dev.npz")
    for subject in np.unique(stored["subject"]):
        if chosen is not None and str(subject) not in chosen:
            continue
        of_subject = stored["subject"] == subject
        image = np.moveaxis(stored["images"][of_subject], 0, -1).astype(np.float32)
        truth = np.array([0, 3, 1, 2])[np.moveaxis(stored["labels"][of_subject], 0, -1)]
        mask = image > 0
        scaled = winsorize_and_scale(image, mask)[None]
        spacing = (1.0, 1.0, 3.1)
        yield Case(str(subject), TissueInput(scaled, mask, spacing, ("T1w",), TISSUES), truth, spacing)


SETS: dict[str, Callable[[list[str] | None], Iterator[Case]]] = {
    "malf": manual_scans,
    "voxelmorph": freesurfer_scan,
    "rorden": fast_scan,
    "ibsr_2d": ibsr_slices,
}


def case_of(
    name: str, image: Volume, mask: np.ndarray, truth: np.ndarray, fast: np.ndarray | None = None
) -> Case:
    box = Box.around(mask)
    started = time.process_time()
    even, registration = evened(image, image.like(mask, kind="mask"))
    cut = box.take(even)
    inside = box.take(image.like(mask, kind="mask"))
    priors = tissue_priors(cut, inside, registration)
    seconds = time.process_time() - started
    scaled = scale_one(cut, "T1w", inside.data, Step("normalise"))[0][None]
    data = TissueInput(scaled, inside.data, image.spacing_mm, ("T1w",), TISSUES, priors)
    cut_truth = box.take(image.like(truth.astype(np.uint8), kind="label")).data
    cut_fast = None if fast is None else box.take(image.like(fast.astype(np.uint8), kind="label")).data
    return Case(name, data, cut_truth, image.spacing_mm, seconds, cut_fast)


def evened(image: Volume, mask: Volume) -> tuple[Volume, Registration]:
    """Place the template and take a strong bias out, as `segment` does with a mask that is given."""

    def place(scan: Volume, step: Step) -> Brain:
        return Brain(mask, register_template(scan, mask, step=step), is_stripped=True)

    step = Step("brain mask")
    even, found = evened_out(image, place(image, step), place, step=step)
    return even, found.registration


def read_labels(path: Path) -> np.ndarray:
    return np.rint(load(path).data).astype(np.uint8)


def given_fast(case: Case) -> np.ndarray | None:
    """Return what FSL FAST made of the scan, as the data set ships it."""
    return case.fast


def atropos(case: Case, *, n4: bool) -> np.ndarray | None:
    """ANTs Atropos from k-means with a Markov field of 0.1, after N4 if asked."""
    try:
        import ants
    except ImportError:
        return None
    image = ants.from_numpy(case.data.intensity[0].astype("float32") + 0.01, spacing=case.spacing_mm)
    mask = ants.from_numpy(case.data.mask.astype("float32"), spacing=case.spacing_mm)
    if n4:
        image = ants.n4_bias_field_correction(image, mask=mask, shrink_factor=4)
    dark_first = ants.atropos(a=image, x=mask, i="KMeans[3]", m="[0.1,1x1x1]", c="[5,0]")[
        "segmentation"
    ].numpy()
    return np.array([0, 3, 1, 2])[np.rint(dark_first).astype(int)]


def hmrf(case: Case) -> np.ndarray | None:
    """DIPY's hidden Markov random field."""
    try:
        from dipy.segment.tissue import TissueClassifierHMRF
    except ImportError:
        return None
    scaled = (case.data.intensity[0] * case.data.mask).astype(np.float64)
    _, dark_first, _ = TissueClassifierHMRF(verbose=False).classify(scaled, 3, 0.1)
    return np.array([0, 3, 1, 2])[np.asarray(dark_first).astype(int)] * case.data.mask


PEER_CALLS: dict[str, Callable[[Case], np.ndarray | None]] = {
    "fast": given_fast,
    "atropos": lambda case: atropos(case, n4=False),
    "n4_atropos": lambda case: atropos(case, n4=True),
    "hmrf": hmrf,
}

if __name__ == "__main__":
    main()
