"""Clusters of voxels on disk: labels in the scan's space, names and colours, sizes, the page."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from medunsup.cohort.clusters.patches import PatchClusters
from medunsup.core.errors import ResultThereError
from medunsup.core.hints import option
from medunsup.io.files.artifact_folder import write_artifact
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import recover, refuse_foreign_files
from medunsup.io.files.tsv import tsv
from medunsup.io.nifti.write import write_volume

LABELS, TABLE, PAGE, MANIFEST = "patches_dseg.nii.gz", "dseg.tsv", "report.html", "patches.json"
FILES = (LABELS, TABLE, PAGE)
LOCK = ".medunsup.lock"


def check_free(folder: Path, read: Sequence[Path], *, force: bool) -> None:
    """Raise ResultThereError if clusters of voxels are there, OutputError if files of others are."""
    if (folder / MANIFEST).exists() and not force:
        raise ResultThereError(
            f"{folder}: holds clusters of voxels. Pass {option('force', True)} to replace them, or choose "
            f"another folder with {option('out')}."
        )
    refuse_foreign_files(folder, FILES, MANIFEST, read=read, force=force)


def save(result: PatchClusters, folder: Path, *, force: bool) -> None:
    """Write all files or none. Raises OutputError on a full or unwritable disk."""
    from medunsup.report.cluster.patches import page

    with locked(folder / LOCK):
        recover(folder, "patches")
        check_free(folder, (), force=force)
        files: dict[str, str | bytes] = {LABELS: _nifti(result), TABLE: _table(result), PAGE: page(result)}
        write_artifact(
            folder,
            files,
            MANIFEST,
            lambda hashes: {**result.as_record(), "sha256": dict(hashes)},
            kind="patches",
            outdated=FILES,
        )


def _nifti(result: PatchClusters) -> bytes:
    with TemporaryDirectory() as made:
        return write_volume(result.labels, Path(made) / LABELS, descrip="clusters of voxels").read_bytes()


def _table(result: PatchClusters) -> str:
    """Write the BIDS table of label names with sizes beside."""
    rows = [("index", "name", "color", "volume_ml", "share", "mean_intensity")]
    rows += [
        (
            str(one.label.index),
            one.label.name,
            one.label.hex,
            f"{one.ml:.3f}",
            f"{one.share:.5f}",
            f"{one.mean_intensity:.6g}",
        )
        for one in result.clusters
    ]
    return tsv(rows)
