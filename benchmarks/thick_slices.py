"""What thick slices do to tissue volumes: heads of known truth and real scans, averaged to 3, 5 and 8 mm.

    python benchmarks/thick_slices.py                                     # masks given
    python benchmarks/thick_slices.py --heads simulated01 --found         # the brain found as `segment` does
    python benchmarks/thick_slices.py --set thick_gm_sd=100               # an ablation of the default

Volumes by fractions over the truth of the simulated heads, and over the same method's own of the scan as it
came on real ones, whose labels count sulcal fluid as cortex. Planes are named by what is averaged across.
Scans come from MEDUNSUP_DATA (default ../shared/data).
"""

import argparse
from typing import Any

import numpy as np
from tissue import DATA, DEFAULT, case_of, read_labels

from medunsup.cli.shared.settings import read_parameters
from medunsup.core.labels import TISSUES
from medunsup.core.record import Step
from medunsup.core.registry import method
from medunsup.core.volume import Volume
from medunsup.io.load import load
from medunsup.preprocess.brain_extraction.brain_mask import find_brain

PLANES = ("sagittal", "coronal", "axial")
SIMULATED = ("simulated01", "simulated05")
HEADS = (*SIMULATED, "1000", "1010", "1119")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--heads", nargs="+", default=list(HEADS))
    parser.add_argument("--thick", nargs="+", type=int, default=[3, 5, 8], help="slices averaged, of 1 mm")
    parser.add_argument("--planes", nargs="+", choices=PLANES, default=list(PLANES))
    parser.add_argument("--methods", nargs="+", default=[DEFAULT, "kmeans"])
    parser.add_argument("--found", action="store_true", help="find the brain instead of giving its mask")
    parser.add_argument("--set", action="append", default=[], help="parameters of the default")
    asked = parser.parse_args()
    names = [f"{label} {tissue.abbreviation}" for label in asked.methods for tissue in TISSUES]
    print("| head | mm | plane |", " | ".join(names), "|\n" + "| --- " * (3 + len(names)) + "|")
    for head in asked.heads:
        image, mask, truth = read_head(head)
        own = None if head in SIMULATED else volumes_ml(image, mask, asked)
        for thickness in asked.thick:
            for plane in asked.planes:
                axis = PLANES.index(plane)
                found = volumes_ml(averaged(image, thickness, axis), shrunk(mask, thickness, axis), asked)
                base = truth_ml(image, mask, truth, thickness, axis) if own is None else own
                cells = [f"{value:.2f}" for value in (found / base).ravel()]
                print(f"| {head} | {thickness} | {plane} |", " | ".join(cells), "|", flush=True)


def read_head(name: str) -> tuple[Volume, np.ndarray, np.ndarray]:
    """Return the scan, its mask and its labels (0 none, 1 GM, 2 WM, 3 CSF)."""
    if name in SIMULATED:
        folder, brain, labels = DATA / "heads", "intracranial", "tissue"
    else:
        folder, brain, labels = DATA / "tissue_malf", "mask", "manual"
    mask = read_labels(folder / f"{name}_{brain}.nii.gz") > 0
    return load(folder / f"{name}_T1w.nii.gz"), mask, read_labels(folder / f"{name}_{labels}.nii.gz")


def averaged(image: Volume, n: int, axis: int) -> Volume:
    """Average every `n` slices; what is left over at the end is dropped."""
    data = np.moveaxis(image.data, axis, 0)
    data = data[: len(data) // n * n].reshape(-1, n, *data.shape[1:]).mean(axis=1, dtype=np.float32)
    change = np.eye(4)
    change[axis, axis], change[axis, 3] = n, (n - 1) / 2
    return Volume(np.ascontiguousarray(np.moveaxis(data, 0, axis)), image.affine @ change)


def shrunk(mask: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Return the voxels of the thick slices that lie in the mask by more than half."""
    return averaged(Volume(mask.astype(np.float32), np.eye(4)), n, axis).data > 0.5


def truth_ml(image: Volume, mask: np.ndarray, truth: np.ndarray, n: int, axis: int) -> np.ndarray:
    """Volumes (3,) of GM, WM and CSF within the thick mask; unlabelled voxels count as CSF."""
    inside = shrunk(mask, n, axis)
    full = np.where(mask & (truth == 0), 3, truth) * mask
    parts = [
        averaged(image.like((full == tissue.index).astype(np.float32)), n, axis).data for tissue in TISSUES
    ]
    return np.array([part[inside].sum() for part in parts]) * image.voxel_volume_mm3 * n / 1000


def volumes_ml(image: Volume, mask: np.ndarray, asked: argparse.Namespace) -> np.ndarray:
    """Volumes (methods, 3) by summed fractions."""
    if asked.found:
        mask = find_brain(image, method="auto", step=Step("mask")).mask.data
    data = case_of("", image, mask, np.zeros(mask.shape, np.uint8)).data
    return np.stack([fitted_ml(label, data, image, asked) for label in asked.methods])


def fitted_ml(label: str, data: Any, image: Volume, asked: argparse.Namespace) -> np.ndarray:
    kind: Any = method("tissue", label)
    config = kind.Config.parse(read_parameters(asked.set) if label == DEFAULT else {}, where="--set")
    fractions = kind(config).fit(data).fractions_
    return fractions.sum(axis=(1, 2, 3), dtype=np.float64) * image.voxel_volume_mm3 / 1000


if __name__ == "__main__":
    main()
