"""The .mat that SPM keeps beside a .hdr/.img pair: what places an Analyze scan, and what NIfTI outweighs."""

from pathlib import Path
from typing import Any

import numpy as np
from nibabel.openers import ImageOpener

from medunsup.core.errors import GeometryError, InputError
from medunsup.core.geometry import Affine
from medunsup.io.files.companions import spm_mat
from medunsup.io.notes import Notes

SAME_SIZE = 0.01  # relative


def check_mat(path: Path) -> None:
    """Raise InputError if a .mat beside a .hdr/.img pair cannot be read as SPM writes it."""
    mat = spm_mat(path)
    if mat is not None and not _variables(mat) & {"mat", "M"}:
        raise InputError(
            f"{mat}: lies beside {path.name} where SPM keeps a scan's place, but holds no 'mat' and no 'M' "
            "that can be read. Move it to another folder if it is something else."
        )


def note_mat(path: Path, image: Any, affine: Affine, notes: Notes) -> None:
    """Record the place of a .hdr/.img pair: a NIfTI header's own, SPM's .mat, or a guess.

    Raises GeometryError if the .mat gives the voxels another size than the header of an Analyze scan, which
    would falsify volumes.
    """
    mat = spm_mat(path)
    if "sform_code" in image.header:
        if mat is not None:
            notes.warn(path, f"{mat.name} beside it, which SPM may heed, is not used: the header places it.")
        return
    if mat is None:
        notes.warn(path, "Analyze files give no orientation; left and right are a guess.")
        return
    notes["coordinates"] = "SPM .mat"
    _check_size(path, mat, image, affine)
    if "mat" not in _variables(mat):
        notes.warn(path, f"{mat.name} (SPM99) tells no orientation; left and right are a guess.")


def _check_size(path: Path, mat: Path, image: Any, affine: Affine) -> None:
    ours = np.linalg.norm(affine[:3, :3], axis=0)
    header = np.abs(np.asarray(image.header.get_zooms()[:3], dtype=float))
    if np.any(np.abs(ours / np.where(header == 0, 1, header) - 1) > SAME_SIZE):
        sizes = [" × ".join(f"{length:.4g}" for length in lengths) for lengths in (ours, header)]
        raise GeometryError(
            f"{path}: {mat.name} makes voxels of {sizes[0]} mm, the header of {sizes[1]} mm. Give the scan "
            "as it came, before it was fitted to another, or convert it to NIfTI with SPM."
        )


def _variables(mat: Path) -> set[str]:
    """Name what a MATLAB file holds; nothing if it is none."""
    from scipy.io import whosmat

    try:
        with ImageOpener(mat) as file:
            return {name for name, shape, _ in whosmat(file) if tuple(shape[:2]) == (4, 4)}
    except Exception:  # noqa: BLE001 - text, HDF5 and damaged files end in errors of many kinds
        return set()
