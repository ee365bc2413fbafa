"""What `finetune` writes into its folder; `cohort.finetuned` reads it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.finetuned.folder import ENDING, FILES, LABEL_TABLE, MANIFEST, PREDICTIONS, label_rows
from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.core.labels import Label
from medunsup.io.bids.names import output_names
from medunsup.io.files.artifact_folder import write_artifact
from medunsup.io.files.atomic import write_text
from medunsup.io.files.tsv import tsv
from medunsup.workflows.finetune.compared import ShareFigures
from medunsup.workflows.finetune.figures import SPACES, Figures


def write_finetuned(folder: Path, manifest: FinetuneManifest, files: Mapping[str, str | bytes]) -> None:
    """Write all files or none; finetune.json comes last. Raises OutputError on a full or unwritable disk."""
    write_artifact(
        folder,
        files,
        MANIFEST,
        lambda hashes: manifest.written_now(dict(hashes)).as_record(),
        kind="finetuned",
        outdated=[name for name in FILES if name not in files],  # of another task
    )


def prediction_names(cases: Sequence[Case]) -> list[str]:
    """Name the label map of each test scan after the scan, as BIDS does where the scan's name is of BIDS.

    Where scans have one name, subject and number come before it.
    """
    stems = [output_names(case.scan, Path()).stem for case in cases]
    return [
        (name if stems.count(name) == 1 else f"{case.subject}_{n}_{name}") + ENDING
        for n, (case, name) in enumerate(zip(cases, stems, strict=True))
    ]


def clear_predictions(folder: Path) -> None:
    """Remove what an earlier run has predicted."""
    for path in (folder / PREDICTIONS).glob(f"*{ENDING}"):
        path.unlink()


def write_label_table(folder: Path, labels: Sequence[Label]) -> None:
    """Write the BIDS table of label names beside the label maps."""
    write_text(folder / PREDICTIONS / LABEL_TABLE, tsv(label_rows(labels)))


def dice_tsv(figures: Figures) -> str:
    """List Dice: one row for each test scan, network, space and label."""
    rows: list[Sequence[str]] = [("scan", "subject", "network", "space", "label", "name", "dice")]
    for case in figures.cases:
        for arm, of in case.dice.items():
            for space in SPACES:
                rows += [
                    (case.scan, case.subject, arm, space, str(label.index), label.name, _number(value))
                    for label, value in zip(figures.labels, of[space], strict=True)
                ]
    return tsv(rows)


def shares_tsv(shares: Sequence[ShareFigures]) -> str:
    """List mean Dice or AUC: one row for each share of the labels, draw and network."""
    rows: list[Sequence[str]] = [("share", "subjects", "draw", "network", "figure")]
    for one in shares:
        for arm, values in one.per_draw.items():
            rows += [
                (f"{one.share:.6g}", str(one.n_subjects), str(draw), arm, _number(value))
                for draw, value in enumerate(values)
            ]
    return tsv(rows)


def scans_tsv(cases: Sequence[Case], hashes: Sequence[str]) -> str:
    """List the scans by split, with the hashes of their files, and of their label maps."""
    rows: list[Sequence[str]] = [("subject", "split", "scan", "sha256", "labels_sha256")]
    n = len(cases)
    for case, scan, labels in zip(cases, hashes[:n], hashes[n:], strict=True):
        rows.append((case.subject, case.split, case.scan.name, scan, labels))
    return tsv(rows)


def curve_tsv(curve: Sequence[Mapping[str, Any]]) -> str:
    """List the loss of each network by epoch."""
    names = list(dict.fromkeys(name for row in curve for name in row))
    return tsv([names, *([_number(row.get(name)) for name in names] for row in curve)])


def _number(value: float | None) -> str:
    return "n/a" if value is None or not np.isfinite(value) else f"{value:.6g}"
