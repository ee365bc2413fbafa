"""Brain masks of whole heads beside nilearn's and deepbet's, and the template's registration on all sets.

    python benchmarks/heads.py                # masks: the six heads with a reference
    python benchmarks/heads.py --turns        # Colin27 turned by 30 degrees about each axis
    python benchmarks/heads.py --registration    # detection and registration on every set of real scans

`deepbet` is the network alone, `+ fluid` what `--brain deepbet` makes of it (with the extra [deepbet] only).
Dice against `_intracranial` for the simulated heads (all fluid, and the neck's canal, inside the bone) and
against the tight `colin27_brain`, holes filled. Differences come first: they travel between machines.
Real scans come from MEDUNSUP_DATA (default ../shared/data).
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.record import Step
from medunsup.core.volume import Volume, to_ras
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
from medunsup.preprocess.brain_extraction.deepbet_mask import deepbet_mask
from medunsup.preprocess.geometry.morphology import dice
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import register_template
from medunsup.preprocess.registration.coarse_search import rotation

DATA = Path(os.environ.get("MEDUNSUP_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
TURNS = {"pitch": (30, 0, 0), "back": (-30, 0, 0), "roll": (0, 30, 0), "left": (0, -30, 0), "yaw": (0, 0, 30)}
SETS = (
    "heads/*_T1w.nii.gz",
    "heads/chris_t1.nii.gz",
    "tissue_malf/100[0257]_T1w.nii.gz",
    "tissue_silver/*/T1_norm.nii.gz",
    "tissue_silver/*/bet.nii.gz",
    "healthy_t1_raw/*_T1w.nii.gz",
    "healthy_flair/*reg.nii.gz",
    "ms/patient07/[TF]*.nii.gz",
    "dicom/brainix/nifti/[TF]*.nii.gz",
)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """A whole head and what its mask should be."""

    name: str
    head: Volume
    truth: Mask


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--turns", action="store_true")
    parser.add_argument("--registration", action="store_true")
    asked = parser.parse_args()
    if not (DATA / "heads").is_dir():
        sys.exit(f"No heads in {DATA}: set MEDUNSUP_DATA to the folder of real scans.")
    if asked.registration:
        registration_table()
    elif asked.turns:
        mask_table(turned_cases())
    else:
        mask_table(head_cases())


def mask_table(cases: Iterator[Case]) -> None:
    """Print ours beside the peers, one row a head."""
    heading = "| head | ours - nilearn | ours - deepbet | fluid - deepbet | CPU / nilearn | "
    print(heading + "ours | nilearn | deepbet | + fluid | ours CPU s | deepbet CPU s | + fluid CPU s |")
    print("| --- " * 12 + "|")
    for case in cases:
        masks, seconds = zip(*(_timed(partial(find, case.head)) for find in MASKS), strict=True)
        dice = [dice(mask, case.truth) if mask is not None else np.nan for mask in masks]
        gains = [f"{dice[first] - dice[second]:+.3f}" for first, second in ((0, 1), (0, 2), (3, 2))]
        ours, nilearn, deepbet, and_fluid = seconds
        costs = [f"{value:.1f}" for value in (ours, deepbet, and_fluid)]
        cells = [case.name, *gains, f"{ours / nilearn:.1f}", *(f"{value:.4f}" for value in dice), *costs]
        print(f"| {' | '.join(cells)} |", flush=True)


def registration_table() -> None:
    """Print what was detected and how the template lies, one row a scan."""
    template = load_template()
    print("| scan | skull gone | template fits | kind | metric | atlas Dice | mask ml | CPU s | warnings |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for path in (path for pattern in SETS for path in sorted(DATA.glob(pattern))):
        scan, step = _load(path), Step("mask")
        (mask, registration), seconds = _timed(lambda scan=scan, step=step: brain_mask(scan, step=step))
        placed = registration.to_scan(template.mask, scan.grid) > 0.5
        print(
            f"| {path.relative_to(DATA)} | {step.findings['already_stripped']} | {registration.fits} | "
            f"{registration.kind} | {registration.metric:.2f} | {dice(mask.data, placed):.3f} | "
            f"{step.findings['mask_volume_ml']:.0f} | {seconds:.1f} | {len(step.warnings)} |",
            flush=True,
        )
    given = _load(DATA / "tissue_malf" / "1000_T1w.nii.gz")
    mask = given.like(given.data > 0, kind="mask")
    _, seconds = _timed(lambda: register_template(given, mask, step=Step("template")))
    print(f"\nRegistration alone, mask given, template read before: {seconds:.1f} CPU s.")


def head_cases() -> Iterator[Case]:
    """Yield the simulated heads, and Colin27 as it is and made worse in three ways."""
    for name in ("simulated01", "simulated05"):
        truth = _load(DATA / "heads" / f"{name}_intracranial.nii.gz").data > 0
        yield Case(name, _load(DATA / "heads" / f"{name}_T1w.nii.gz"), truth)
    colin = _colin()
    yield colin
    yield turned(colin, "turned by 20°", (20, 0, 0))
    yield thick(colin)
    yield spoilt(colin)


def turned_cases() -> Iterator[Case]:
    """Colin27 turned about each axis."""
    colin = _colin()
    yield colin
    for name, angles in TURNS.items():
        yield turned(colin, name, angles)


def turned(case: Case, name: str, angles_deg: tuple[float, float, float], pad: int = 30) -> Case:
    """Turn the head inside a field of view that holds it."""
    center = case.head.grid.center_mm
    turn, affine = np.eye(4), case.head.affine.copy()
    turn[:3, :3] = rotation(*angles_deg)
    turn[:3, 3] = center - turn[:3, :3] @ center
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, pad)
    index = np.linalg.inv(case.head.affine) @ np.linalg.inv(turn) @ affine
    shape = tuple(size + 2 * pad for size in case.head.shape)

    def resample(data: NDArray[np.float32]) -> NDArray[np.float32]:
        return ndimage.affine_transform(data, index[:3, :3], index[:3, 3], output_shape=shape, order=1)

    head = Volume(resample(case.head.data), affine)
    return Case(f"{case.name} {name}", head, resample(case.truth.astype(np.float32)) > 0.5)


def thick(case: Case, factor: int = 4) -> Case:
    """Average neighbouring axial slices."""
    n_slices = case.head.shape[2] // factor
    affine = case.head.affine.copy()
    affine[:3, 3] += affine[:3, 2] * (factor - 1) / 2
    affine[:3, 2] *= factor

    def average(data: NDArray[np.float32]) -> NDArray[np.float32]:
        kept = data[:, :, : n_slices * factor]
        return kept.reshape(*kept.shape[:2], n_slices, factor).mean(axis=-1)

    truth = average(case.truth.astype(np.float32)) > 0.5
    return Case(f"{case.name}, {factor} mm slices", Volume(average(case.head.data), affine), truth)


def spoilt(case: Case, noise: float = 0.05, bias: float = 0.4, seed: int = 0) -> Case:
    """Add a bias field and Rician noise, both as shares of the brain's bright end."""
    rng = np.random.default_rng(seed)
    axes = [np.linspace(-1, 1, size, dtype=np.float32) for size in case.head.shape]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    field = 1 + bias / 2 * np.clip(0.6 * x + 0.5 * y - 0.7 * z + 0.4 * x * y, -1, 1)
    sd = noise * np.percentile(case.head.data[case.truth], 98)
    real = case.head.data * field + rng.normal(0, sd, case.head.shape)
    data = np.hypot(real, rng.normal(0, sd, case.head.shape)).astype(np.float32)
    return Case(f"{case.name}, 5 % noise, 40 % bias", case.head.like(data), case.truth)


def _colin() -> Case:
    truth = ndimage.binary_fill_holes(_load(DATA / "heads" / "colin27_brain.nii.gz").data > 0)
    return Case("colin27", _load(DATA / "heads" / "colin27_T1w.nii.gz"), truth)


def _load(path: Path) -> Volume:
    image = nibabel.load(path)
    data, affine, _, _ = to_ras(np.asarray(image.dataobj, dtype=np.float32), image.affine)
    return Volume(np.ascontiguousarray(data), affine)


def _ours(head: Volume) -> Mask:
    return brain_mask(head, step=Step("mask"))[0].data


def _nilearn(head: Volume) -> Mask:
    from nilearn.masking import compute_brain_mask

    image = nibabel.Nifti1Image(head.data, head.affine)
    return np.asarray(compute_brain_mask(image).dataobj) > 0


def _deepbet(head: Volume) -> Mask | None:
    return deepbet_mask(head) if find_spec("deepbet") else None


def _deepbet_and_fluid(head: Volume) -> Mask | None:
    return brain_mask(head, method="deepbet", step=Step("mask"))[0].data if find_spec("deepbet") else None


MASKS = (_ours, _nilearn, _deepbet, _deepbet_and_fluid)


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


if __name__ == "__main__":
    main()
