"""A model folder made in a second: an atlas of a few small scans, calibrated on others, with baselines."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import prepare
from medunsup.cohort.prepare_many import request_of
from medunsup.cohort.training.consistency import Common
from medunsup.io.files.hashes import hash_input
from medunsup.training.scan_stack import Scans
from medunsup.workflows.train.fit import learn
from medunsup.workflows.train.request import TrainRequest
from medunsup.workflows.train.save import save
from medunsup.workflows.train.select import Found
from medunsup.workflows.train.settings import TrainSettings

N_CALIBRATION = 2


def write_small_model(
    folder: Path, scans: Sequence[Path], *, contrast: str = "T1w", spacing_mm: float = 8.0
) -> Path:
    """Learn from all scans but the last two, calibrate on those, and write the folder."""
    settings = TrainSettings(
        model="healthy_atlas",
        score="deviation",
        spacing_mm=spacing_mm,
        min_cluster_mm3=0.0,
        contrast=contrast,
    )
    cases = [Case(scan, scan.name) for scan in scans]
    made = [prepare(request_of(case, settings), spacing_mm) for case in cases]
    every = Scans(np.stack([one.values for one in made]), np.stack([one.mask for one in made]))
    n = len(scans) - N_CALIBRATION
    contents = [one.content for one in made]
    calibration = every.take(range(n, len(scans)))
    return write_model_of(folder, every.take(range(n)), calibration, settings, cases, contents)


def write_model_of(
    folder: Path,
    train: Scans,
    calibration: Scans,
    settings: TrainSettings,
    cases: Sequence[Case] = (),
    contents: Sequence[str] = (),
) -> Path:
    """Learn from scans that are prepared already; `cases` with their `contents` are noted as seen."""
    scans = {"train": train, "validation": calibration, "calibration": calibration}
    with TemporaryDirectory() as work:
        learned = learn(
            settings,
            scans,
            folder,
            work=Path(work),
            coarsest_mm=settings.spacing_mm,
            resume=False,
            told=lambda stage: None,
        )
    splits = ["train"] * len(train) + ["calibration"] * len(calibration)
    seen = [replace(case, split=split) for case, split in zip(cases, splits, strict=False)]
    found = Found({split: [case for case in seen if case.split == split] for split in dict.fromkeys(splits)})
    hashes = [hash_input(case.scan) for case in found.cases]
    common = Common(settings.contrast, settings.spacing_mm, tuple(contents))
    request = TrainRequest(settings, folder, folder)
    save(request, found, hashes, common, learned, None)
    return folder
