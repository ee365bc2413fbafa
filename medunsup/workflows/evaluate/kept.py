"""What was measured of each case, kept so that a run that was ended goes on where it was."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from medunsup.anomaly.evaluation import EvaluatedCase
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.prepare import key
from medunsup.cohort.prepare_many import request_of
from medunsup.core.provenance import plain
from medunsup.core.version import __version__
from medunsup.io.files.atomic import write_json
from medunsup.io.files.hashes import hash_input
from medunsup.report.evaluate.case_slices import read_slices, write_slices
from medunsup.workflows.evaluate.case import MeasuredCase
from medunsup.workflows.evaluate.judge import Judge
from medunsup.workflows.train.model_folder import MANIFEST

RECIPE = 8  # counts up when the same case comes out otherwise, so that what was kept is not taken again
FORMAT = 3  # of the files; 2 had other names; 1 was not written down, and held a picture among the figures
KEY_LENGTH = 32


@dataclass(frozen=True)
class Kept:
    """Where one case is kept: its figures (JSON) and its slices (npz). `key` names all they depend on."""

    folder: Path
    key: str

    @property
    def figures(self) -> Path:
        """File of the figures; written last, so where it is, the case is whole."""
        return self.folder / f"{self.key}.json"

    @property
    def slices(self) -> Path:
        """File of the slices that the page shows."""
        return self.folder / f"{self.key}.npz"

    @property
    def format(self) -> int:
        """Format of the figures; 0 if they are not there or damaged."""
        record = self._record()
        return record.get("Format", 1) if record else 0

    def read(self) -> EvaluatedCase | None:
        """Return the figures; None if they, or the slices, are not there, damaged or in another format."""
        record = self._record()
        if record.pop("Format", 1) != FORMAT or not read_slices(self.slices):
            return None
        try:
            return EvaluatedCase.of_record(record)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def write(self, measured: MeasuredCase) -> None:
        """Keep a case. Raises OutputError if it cannot be written."""
        write_slices(measured.slices, self.slices)
        write_json(self.figures, plain({"Format": FORMAT, **measured.figures.as_record()}))

    def _record(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.figures.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


def kept_cases(cases: Sequence[Case], judge: Judge, folder: Path) -> list[Kept]:
    """Say where each case is kept."""
    return [Kept(folder, case_key(case, judge)) for case in cases]


def in_other_formats(folder: Path) -> int:
    """Count the cases of a folder that are kept in the format of another version, under whatever key."""
    kept = (Kept(folder, path.stem) for path in folder.glob(f"{'[0-9a-f]' * KEY_LENGTH}.json"))
    return sum(one.format not in (0, FORMAT) for one in kept)


def case_key(case: Case, judge: Judge) -> str:
    """Name what a case's figures depend on: files, model, baselines, threshold, version."""
    asked = {
        "recipe": RECIPE,
        "version": __version__,
        "prepared": key(request_of(case, judge.settings), judge.settings.spacing_mm),
        "lesions": hash_input(case.lesions) if case.lesions else None,
        "who": [case.scan.name, case.subject, case.site, case.group],
        "model": hash_input(judge.model.path / MANIFEST),
        "baselines": sorted(judge.baselines.scores_) if judge.baselines else [],
        "threshold": judge.threshold,
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:KEY_LENGTH]
