"""Floors measured on real lesions: a threshold on FLAIR, which any model must beat."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from medunsup.anomaly.baselines import Baselines

pytestmark = [pytest.mark.data, pytest.mark.slow]
BRATS = "tumour_brats/{part}/brats_2013_pat{number}_1"


def ms(folder: Path, number: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """FLAIR, brain and lesions; the scans are stripped, so that the brain is what is not 0."""
    flair, lesions = (read(folder / "ms" / f"patient{number}" / name) for name in ("FLAIR", "lesions"))
    return flair, flair != 0, lesions > 0


def brats(folder: Path, number: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part = "train" if number in ("0005", "0006") else "validation"
    case = folder / BRATS.format(part=part, number=number)
    names = ("Flair_subtrMeanDivStd", "brainmask", "OTMultiClass")
    flair, brain, tumour = (read(case / name) for name in names)
    return flair, brain > 0, tumour > 0


def read(path: Path) -> np.ndarray:
    return np.asarray(nib.load(f"{path}.nii.gz").dataobj, dtype=np.float32)


def precision_and_best_dice(scores: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Average precision, and the best Dice over all thresholds (an oracle)."""
    precision, recall, _ = precision_recall_curve(truth, scores, drop_intermediate=True)
    dice = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return average_precision_score(truth, scores), dice.max()


@pytest.mark.parametrize(
    ("read_case", "number", "raw", "rank"),
    [
        (ms, "07", (0.079, 0.206), (0.174, 0.272)),
        (ms, "19", (0.650, 0.643), (0.814, 0.772)),
        (brats, "0003", (0.883, 0.885), (0.920, 0.906)),
        (brats, "0004", (0.927, 0.899), (0.943, 0.917)),
        (brats, "0005", (0.408, 0.520), (0.467, 0.553)),
        (brats, "0006", (0.916, 0.876), (0.935, 0.895)),
    ],
)
def test_bright_flair_alone_finds_real_lesions_so_well(read_case, number, raw, rank, data_dir):
    flair, brain, lesion = read_case(data_dir, number)
    for name, wanted in (("intensity_high", raw), ("rank_high", rank)):
        scores = Baselines().map(name, flair[None], brain)[brain]
        assert precision_and_best_dice(scores, lesion[brain]) == pytest.approx(wanted, abs=0.005)
