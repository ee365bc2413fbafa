"""Write what was learned as a model folder."""

from collections.abc import Sequence

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.training.consistency import Common
from medunsup.io.bids.names import data_set_id
from medunsup.io.files.artifact_folder import arrays_as_bytes
from medunsup.io.files.tsv import tsv
from medunsup.workflows.train.encoder import GivenEncoder
from medunsup.workflows.train.fit import TABLE_COLUMNS, Learned
from medunsup.workflows.train.manifest import Manifest
from medunsup.workflows.train.model_card import model_card
from medunsup.workflows.train.model_folder import (
    BASELINE_ARRAYS,
    BASELINE_TABLE,
    CARD,
    DATA_CARD,
    SCANS,
    WEIGHTS,
    write_model,
)
from medunsup.workflows.train.request import TrainRequest
from medunsup.workflows.train.select import REPEAT, Found


def save(
    request: TrainRequest,
    found: Found,
    hashes: Sequence[str],
    common: Common,
    learned: Learned,
    data_card: str | None,
    encoder: GivenEncoder | None = None,
) -> None:
    """Write the model folder, all of it or nothing; `hashes` are of the files of the scans found.

    The scans that an encoder was pretrained on count as known to the model.

    Raises OutputError if it cannot be written.
    """
    scans = scans_tsv(found.cases, hashes, common.contents, encoder.rows(hashes) if encoder else ())
    manifest = Manifest(
        settings=request.settings,
        contrast=common.contrast,
        shape=learned.shape,
        coarsest_mm=common.coarsest_mm,
        healthy_by=dict(found.healthy_by),
        left_out=dict(found.left_out),
        patients_left_out=found.n_patients,
        repeated_calibration_scans_left_out=found.left_out.get(REPEAT, 0),
        check=dict(learned.check),
    )
    if encoder is not None:
        calibration = [
            pair for pair in zip(found.cases, hashes, strict=True) if pair[0].split == "calibration"
        ]
        cases, own = zip(*calibration, strict=True)
        manifest = manifest.model_copy(update={"encoder": encoder.about(cases, own)})
    files: dict[str, str | bytes] = {
        WEIGHTS: arrays_as_bytes(learned.arrays),
        BASELINE_ARRAYS: arrays_as_bytes(learned.baselines),
        BASELINE_TABLE: tsv([TABLE_COLUMNS, *learned.table]),
        SCANS: scans,
        CARD: model_card(manifest, scans, learned.table, data_card=data_card),
    }
    if data_card is not None:
        files[DATA_CARD] = data_card
    write_model(request.out, manifest, files)


def scans_tsv(
    cases: Sequence[Case],
    hashes: Sequence[str],
    contents: Sequence[str],
    further: Sequence[Sequence[str]] = (),
) -> str:
    """List the scans a model has seen, by name and hashes of file, content and data set, without folders."""
    rows: list[Sequence[str]] = [
        ("subject", "split", "scan", "sha256", "site", "prepared_sha256", "data_set")
    ]
    rows += [
        (
            case.subject,
            case.split,
            case.scan.name,
            value,
            case.site or "n/a",
            content,
            data_set_id(case.scan) or "n/a",
        )
        for case, value, content in zip(cases, hashes, contents, strict=True)
    ]
    return tsv([*rows, *further])
