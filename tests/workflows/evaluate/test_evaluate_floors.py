"""`evaluate` on real lesions gives the figures that a threshold on FLAIR was measured to reach."""

from pathlib import Path

import numpy as np
import pytest
from helpers.small_models import write_model_of

from medunsup.anomaly.evaluation import Evaluation
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Scans
from medunsup.workflows.evaluate.evaluate import evaluate
from medunsup.workflows.train.settings import TrainSettings

pytestmark = [pytest.mark.data, pytest.mark.slow]

SPACING_MM = 8.0
MS = {"07": ((0.079, 0.206), (0.174, 0.272)), "19": ((0.650, 0.643), (0.814, 0.772))}
BRATS = {
    "0003": ((0.883, 0.885), (0.920, 0.906)),
    "0004": ((0.927, 0.899), (0.943, 0.917)),
    "0005": ((0.408, 0.520), (0.467, 0.553)),
    "0006": ((0.916, 0.876), (0.935, 0.895)),
}


@pytest.fixture(scope="module")
def result(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """All six patients, under a model that knows nothing: the figures asked for are the baselines'."""
    folder = tmp_path_factory.mktemp("floors")
    rows = [("scan", "lesions", "mask", "subject")]
    for number in MS:
        case = data_dir / "ms" / f"patient{number}"
        rows.append((f"{case}/FLAIR.nii.gz", f"{case}/lesions.nii.gz", "", number))
    for number in BRATS:
        part = "train" if number in ("0005", "0006") else "validation"
        case = data_dir / "tumour_brats" / part / f"brats_2013_pat{number}_1"
        files = ("Flair_subtrMeanDivStd", "OTMultiClass", "brainmask")
        rows.append((*(f"{case}/{name}.nii.gz" for name in files), number))
    (folder / "cases.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return evaluate(model_of_noise(folder / "model"), folder / "cases.tsv", folder / "eval")


def model_of_noise(folder: Path) -> Path:
    shape = ModelSpace(SPACING_MM).shape
    values = np.random.default_rng(0).uniform(0.1, 1, (6, 1, *shape)).astype(np.float32)
    scans = Scans(values, np.ones((6, *shape), dtype=bool))
    settings = TrainSettings(
        model="healthy_atlas", score="deviation", spacing_mm=SPACING_MM, contrast="FLAIR", postprocess=()
    )
    return write_model_of(folder, scans.take(range(4)), scans.take((4, 5)), settings)


@pytest.mark.parametrize("subject", [*MS, *BRATS])
def test_a_threshold_on_flair_reaches_what_was_measured(result, subject):
    case = next(case for case in result.cases if case.subject == subject)
    for method, wanted in zip(("intensity_high", "rank_high"), (MS | BRATS)[subject], strict=True):
        found = [case.figure(method, name) for name in ("average_precision", "oracle_dice")]
        assert found == pytest.approx(wanted, abs=0.005)


def test_six_patients_are_enough_for_a_verdict(result):
    against = {one.name: one.model_against for one in result.figures.baselines}
    assert against["rank_high"].difference.n == len(MS | BRATS)
    assert against["intensity_low"].verdict == "better"
