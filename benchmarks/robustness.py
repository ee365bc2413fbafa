"""Does anything collapse, drift or give way? Spoilt, repeated and lesioned copies of real scans.

    python benchmarks/robustness.py                                  # all parts
    python benchmarks/robustness.py --parts collapse --scans 1000    # one part, at most some minutes a scan
    python benchmarks/robustness.py --parts repeat lesions dicom
    python benchmarks/robustness.py --parts lesions --methods atlas_gmm gmm bayesian_gmm

collapse  each tissue's volume over the truth's, worst way round, under noise, bias and injected outliers
bias      Dice under strong smooth fields, as of 7 T or coil arrays: four shapes, factors 1.5 to 3
repeat    coefficient of variation of tissue volumes over copies: fresh noise, turned by 2°, so by the header
lesions   Dice lost outside lesions: real masks, resampled by the registration, as dark and bright spots
dicom     labels of one scan read as DICOM and as NIfTI, from file to result

Scans come from MEDUNSUP_DATA (default ../shared/data). Masks are given but in `dicom` and whole heads; the
template is registered anew on every copy. Noise is Rician, its sd a share of bright white matter, on top of
the scan's own; bias is the field's range within the brain. Unlabelled voxels of manual truth count as CSF.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from scipy import ndimage
from spoilt import in_field, noisy, spoil
from tissue import DATA, DEFAULT, Case, case_of, read_labels

from medunsup.core.labels import TISSUES
from medunsup.core.record import Step
from medunsup.core.registry import method
from medunsup.core.volume import Volume
from medunsup.io.load import load
from medunsup.metrics.segmentation import dice
from medunsup.preprocess.brain_extraction.brain_mask import brain_mask
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.registration.affine import Registration, register_template
from medunsup.preprocess.registration.coarse_search import rotation
from medunsup.tissue.base import TissueMethod

NAMES = [tissue.abbreviation for tissue in TISSUES]
NOISES, BIASES = (0.03, 0.05, 0.09), (0.0, 0.2, 0.4)
OUTLIERS = ("bright spikes", "dark spikes", "both spikes", "bright block", "dark block")
FIELDS, FACTORS = ("centre", "border", "head to foot", "back to front"), (1.5, 2.0, 2.5, 3.0)
BIAS_SCANS = ("simulated01", "simulated05", "1000", "1010")
COLLAPSE_SCANS = ("simulated01", "1000", "1104")
REPEAT_SCANS = ("1000", "1104", "simulated01")
REPEAT_HEADS = ("heads/chris_t1", "healthy_t1_raw/sub-52_T1w")
TURNS_DEG = ((2, 0, 0), (-2, 0, 0), (0, 2, 0), (0, -2, 0), (0, 0, 2), (0, 0, -2))
LESION_SCANS = ("1000", "1010", "1104", "1128")
LESION_PATIENTS = ("12", "05", "11")
COLLAPSE_RATIO, MAX_VARIATION, MAX_LESION_COST, MIN_SAME_DICE = 2.0, 0.01, 0.01, 0.999


@dataclass(frozen=True)
class Scan:
    """A scan cut to its brain, with its mask and truth (0 none, 1 GM, 2 WM, 3 CSF)."""

    name: str
    image: Volume
    mask: np.ndarray
    truth: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--scans", nargs="+", help="only these, such as 1000, simulated01")
    parser.add_argument(
        "--methods", nargs="+", default=[DEFAULT, "gmm"], help="the first is held to the targets"
    )
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    with ProcessPoolExecutor(asked.jobs) as pool:
        for part in asked.parts:
            print(f"\n## {part}\n", flush=True)
            PARTS[part](asked, pool)


# ---------------------------------------------------------------------------------------------- no collapse


def collapse(asked: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print the volumes of every spoilt copy over the truth's, the plain methods beside the default."""
    jobs = [
        (name, how, tuple(asked.methods)) for name in asked.scans or COLLAPSE_SCANS for how in spoilings(name)
    ]
    head = [f"{label} {tissue}" for label in asked.methods for tissue in NAMES]
    print_header(
        "scan", "spoilt by", f"within 1/{COLLAPSE_RATIO:g} to {COLLAPSE_RATIO:g}", *head, "GM WM Dice"
    )
    passed = []
    for (name, how, _), (ratios, overlap) in zip(jobs, pool.map(collapse_row, jobs), strict=True):
        passed.append(is_within(ratios[0]))
        print_row(name, how, mark(passed[-1]), *(f"{r:.2f}" for row in ratios for r in row), overlap)
    print(f"\n{sum(passed)} of {len(passed)} copies keep every tissue.")


def spoilings(name: str) -> list[str]:
    """Name how a scan is spoilt: noise and bias in full on a simulation, their corners on real scans."""
    grid = product(NOISES, BIASES) if name.startswith("sim") else product(NOISES[::2], BIASES[::2])
    return ["nothing", *(f"noise {100 * n:.0f} % bias {100 * b:.0f} %" for n, b in grid), *OUTLIERS]


def collapse_row(job: tuple[str, str, tuple[str, ...]]) -> tuple[list[list[float]], str]:
    """Return predicted over true volume a tissue and method, and the default's Dice."""
    name, how, labels = job
    scan = read_scan(name)
    case = prepare(replace(scan, image=spoil(scan.image, scan.mask, how)))
    everything = np.where(case.data.mask & (case.truth == 0), 3, case.truth)
    true = np.array([(everything == tissue.index).sum() for tissue in TISSUES])
    fits = [fit(case, label) for label in labels]
    ratios = [(fractions(one) / true).tolist() for one in fits]
    overlap = [dice(fits[0].labels_, case.truth, index, where=case.truth > 0) for index in (1, 2)]
    return ratios, " ".join(f"{value:.3f}" for value in overlap)


def is_within(ratios: list[float], limit: float = COLLAPSE_RATIO) -> bool:
    """Whether every tissue has between 1 / `limit` and `limit` times its true volume."""
    return all(1 / limit <= ratio <= limit for ratio in ratios)


# ---------------------------------------------------------------------------------------------- strong bias


def bias(asked: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print the default's Dice under every field, the scan as it is first; what is left counts the most."""
    fields = [("none", 1.0), *product(FIELDS, FACTORS)]
    print_header("scan", "field", *(f"{factor:g}" for factor in FACTORS))
    for name in asked.scans or BIAS_SCANS:
        found = dict(zip(fields, pool.map(bias_cell, [(name, *one) for one in fields]), strict=True))
        print_row(name, "none", found[fields[0]], *[""] * (len(FACTORS) - 1))
        for kind in FIELDS:
            print_row(name, kind, *(found[kind, factor] for factor in FACTORS))


def bias_cell(job: tuple[str, str, float]) -> str:
    """Return the default's Dice of GM, WM and CSF where labels are."""
    name, kind, factor = job
    scan = read_scan(name)
    case = prepare(replace(scan, image=in_field(scan.image, scan.mask, kind, factor)))
    labels = fit(case, DEFAULT).labels_
    return " ".join(f"{dice(labels, case.truth, n, where=case.truth > 0):.3f}" for n in (1, 2, 3))


# -------------------------------------------------------------------------------------------- repeatability


def repeat(asked: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print the coefficient of variation of each tissue's volume over copies of each scan."""
    names = asked.scans or (*REPEAT_SCANS, *REPEAT_HEADS)
    print_header("scan", "copies", "n", f"CV <= {MAX_VARIATION:.0%}", *(f"CV {tissue}" for tissue in NAMES),
                 "CV mask", "mean off the original GM WM CSF")  # fmt: skip
    for name, kind in product(names, COPIES):
        jobs = [(name, kind, n) for n in range(-1, COPIES[kind][0])]
        volumes = np.array(list(pool.map(copy_volumes, jobs)))
        copies = volumes[1:]
        variation = copies.std(axis=0, ddof=1) / copies.mean(axis=0)
        drift = copies.mean(axis=0) / volumes[0] - 1
        good = bool((variation[:3] <= MAX_VARIATION).all())
        shifts = " ".join(f"{value:+.1%}" for value in drift[:3])
        print_row(name, kind, len(copies), mark(good), *(f"{value:.2%}" for value in variation), shifts)


def copy_volumes(job: tuple[str, str, int]) -> list[float]:
    """Return the volumes of GM, WM, CSF and the mask, in voxels, of one copy; -1 is the scan itself."""
    name, kind, n = job
    scan = read_head(name) if "/" in name else read_scan(name)
    if n >= 0:
        scan = COPIES[kind][1](scan, n)
    if "/" in name:
        scan = replace(scan, mask=brain_mask(scan.image, step=Step("mask"))[0].data)
    fitted = fit(prepare(scan), DEFAULT)
    return [*fractions(fitted).tolist(), float(scan.mask.sum())]


def renoised(scan: Scan, n: int) -> Scan:
    """Copy with 3 % of fresh noise."""
    return replace(scan, image=noisy(scan.image, scan.mask, 0.03, seed=n))


def turned(scan: Scan, n: int, margin: int = 6) -> Scan:
    """Copy turned by 2 degrees about one axis: cubic for the scan, halfway between voxels for the mask.

    Round a stripped brain its own border values go on, so that turning makes no dark border.
    """
    affine, center = scan.image.affine, scan.image.grid.center_mm
    turn = np.eye(4)
    turn[:3, :3] = rotation(*TURNS_DEG[n])
    turn[:3, 3] = center - turn[:3, :3] @ center
    index = np.linalg.inv(affine) @ np.linalg.inv(turn) @ affine
    grown = scan.image.affine.copy()
    grown[:3, 3] -= grown[:3, :3] @ np.full(3, margin)
    index[:3, 3] -= index[:3, :3] @ np.full(3, margin)
    shape = tuple(size + 2 * margin for size in scan.image.shape)

    def resample(data: np.ndarray, order: int) -> np.ndarray:
        return ndimage.affine_transform(data, index[:3, :3], index[:3, 3], output_shape=shape, order=order)

    is_whole_head = bool(scan.mask.all())
    mask = resample(scan.mask.astype(np.float32), 1) > 0.5
    data = scan.image.data if is_whole_head else continued(scan.image.data, scan.mask)
    image = np.maximum(resample(data.astype(np.float32), 3), 0)
    return replace(scan, image=Volume(image if is_whole_head else image * mask, grown), mask=mask)


def continued(data: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Let every voxel outside the mask take the value of the nearest inside."""
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return data[tuple(nearest)]


def tilted(scan: Scan, n: int) -> Scan:
    """Copy that says that it lies turned by 2 degrees: no voxel changes, so what drifts is registration."""
    turn = np.eye(4)
    turn[:3, :3] = rotation(*TURNS_DEG[n])
    return replace(scan, image=replace(scan.image, affine=turn @ scan.image.affine))


COPIES: dict[str, tuple[int, Callable[[Scan, int], Scan]]] = {
    "fresh 3 % noise": (5, renoised),
    "turned by 2°": (len(TURNS_DEG), turned),
    "turned by 2°, header only": (len(TURNS_DEG), tilted),
}


# --------------------------------------------------------------------------------------------------- lesions


def lesions(asked: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print the Dice lost outside synthetic lesions, every method beside the default."""
    jobs = [(name, tuple(asked.methods)) for name in asked.scans or LESION_SCANS]
    head = [f"{label} {tissue}" for label in asked.methods for tissue in NAMES]
    print_header("scan", "lesions of", "spots", "ml", f"cost <= {MAX_LESION_COST}", *head)
    costs: list[np.ndarray] = []
    for name, rows in zip([job[0] for job in jobs], pool.map(lesion_rows, jobs), strict=True):
        for patient, spots, ml, cost in rows:
            costs.append(cost)
            values = (f"{value:+.4f}" for value in cost.ravel())
            print_row(name, patient, spots, f"{ml:.1f}", mark(cost[0].max() <= MAX_LESION_COST), *values)
    worst, mean = np.max(costs, axis=0), np.mean(costs, axis=0)
    print_row(
        "worst", "", "", "", mark(worst[0].max() <= MAX_LESION_COST), *(f"{v:+.4f}" for v in worst.ravel())
    )
    print_row("mean", "", "", "", "", *(f"{value:+.4f}" for value in mean.ravel()))


def lesion_rows(job: tuple[str, tuple[str, ...]]) -> list[tuple[str, str, float, np.ndarray]]:
    """Insert each patient's lesions in one scan; return patient, spots, ml, and Dice lost (methods, 3)."""
    name, labels = job
    scan = read_scan(name)
    healthy = prepare(scan)
    registration = register_template(
        scan.image, scan.image.like(scan.mask, kind="mask"), step=Step("template")
    )
    before = [fit(healthy, label).labels_ for label in labels]
    rows = []
    for patient, spots in product(LESION_PATIENTS, ("dark", "bright")):
        share = lesion_share(scan, patient, registration)
        spoilt = prepare(replace(scan, image=inserted(scan, share, spots)))
        outside = (Box.around(scan.mask).take(scan.image.like(share)).data == 0) & (healthy.truth > 0)
        after = [fit(spoilt, label).labels_ for label in labels]
        cost = [
            [
                dice(old, healthy.truth, tissue.index, where=outside)
                - dice(new, healthy.truth, tissue.index, where=outside)
                for tissue in TISSUES
            ]
            for old, new in zip(before, after, strict=True)
        ]
        rows.append((patient, spots, float(share.sum()) * scan.image.voxel_volume_mm3 / 1000, np.array(cost)))
    return rows


def lesion_share(scan: Scan, patient: str, registration: Registration) -> np.ndarray:
    """Return the share of each voxel that is lesion, where the template puts a patient's in white matter."""
    stored = load(DATA / f"ms/lesion_masks_only/patient{patient}_lesions.nii.gz")
    placed = registration.to_scan(stored.like((stored.data > 0).astype(np.float32)), scan.image.grid)
    return np.where(scan.truth == 2, placed, 0).astype(np.float32)


def inserted(scan: Scan, share: np.ndarray, spots: str) -> Volume:
    """Move white matter to the fluid's level (dark) or as far above it as grey lies below (bright)."""
    gm, wm, csf = (float(np.median(scan.image.data[scan.truth == tissue.index])) for tissue in TISSUES)
    shift = (csf - wm) if spots == "dark" else (wm - gm)
    return scan.image.like(np.maximum(scan.image.data + share * np.float32(shift), 0))


# ----------------------------------------------------------------------------------------------------- dicom


def dicom(_: argparse.Namespace, pool: ProcessPoolExecutor) -> None:
    """Print how far the labels of one scan agree, read as DICOM and as NIfTI."""
    folder = DATA / "dicom/brainix"
    paths = [str(folder / "dicom/T1"), str(folder / "nifti/T1.nii.gz")]
    (first, affine, first_ml), (second, other, second_ml) = pool.map(end_to_end, paths)
    far_mm = float(np.abs(affine - other).max())
    same = [dice(first, second, tissue.index) for tissue in TISSUES]
    ratios = [first_ml[name] / second_ml[name] for name in NAMES]
    print_header("scan", f"Dice >= {MIN_SAME_DICE}", *(f"Dice {name}" for name in NAMES),
                 *(f"volume ratio {name}" for name in NAMES), "affines apart, mm")  # fmt: skip
    cells = [f"{value:.5f}" for value in (*same, *ratios)]
    print_row("BRAINIX T1, DICOM / NIfTI", mark(min(same) >= MIN_SAME_DICE), *cells, f"{far_mm:.1e}")


def end_to_end(path: str) -> tuple[np.ndarray, np.ndarray, dict[str, float]]:
    """Segment from file; return labels, affine and volumes in ml."""
    from medunsup.workflows.segment.scan import segment

    result = segment(path, contrast="T1w")
    return result.labels.data, result.labels.affine, result.volumes_ml


# --------------------------------------------------------------------------------------------------- helpers


@lru_cache(maxsize=2)
def read_scan(name: str) -> Scan:
    """Read a simulated head or an OASIS scan with its truth, cut to its brain."""
    if name.startswith("sim"):
        stem = DATA / "heads" / name
        image, truth, inside = (f"{stem}_{kind}.nii.gz" for kind in ("T1w", "tissue", "intracranial"))
    else:
        stem = DATA / "tissue_malf" / name
        image, truth, inside = (f"{stem}_{kind}.nii.gz" for kind in ("T1w", "manual", "mask"))
    whole, mask = load(image), read_labels(inside) > 0
    box = Box.around(mask)
    return Scan(name, box.take(whole), mask[box.slices], np.where(mask, read_labels(truth), 0)[box.slices])


@lru_cache(maxsize=2)
def read_head(name: str) -> Scan:
    """Read a whole head, whose mask is to be found: until then it is everything."""
    image = load(DATA / f"{name}.nii.gz")
    return Scan(name, image, np.ones(image.shape, dtype=bool), np.zeros(image.shape, dtype=np.uint8))


def prepare(scan: Scan) -> Case:
    """Place the template and scale, as `segment` does once it has a mask."""
    truth = scan.truth if scan.truth.shape == scan.mask.shape else np.zeros(scan.mask.shape, dtype=np.uint8)
    return case_of(scan.name, scan.image, scan.mask, truth)


def fit(case: Case, label: str) -> TissueMethod:
    """Fit a registered method with its own defaults."""
    kind: Any = method("tissue", label)
    fitted: TissueMethod = kind().fit(case.data)
    return fitted


def fractions(fitted: TissueMethod) -> np.ndarray:
    """Volumes in voxels, from partial volume fractions, (3,)."""
    return fitted.fractions_.sum(axis=(1, 2, 3), dtype=np.float64)


def mark(is_reached: bool) -> str:
    return "pass" if is_reached else "**FAIL**"


def print_header(*names: str) -> None:
    print_row(*names)
    print("| --- " * len(names) + "|", flush=True)


def print_row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


PARTS: dict[str, Callable[[argparse.Namespace, ProcessPoolExecutor], None]] = {
    "collapse": collapse,
    "bias": bias,
    "repeat": repeat,
    "lesions": lesions,
    "dicom": dicom,
}

if __name__ == "__main__":
    main()
