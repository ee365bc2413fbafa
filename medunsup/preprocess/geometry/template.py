"""The MNI152 average brain that nilearn's wheel carries, read by path; nilearn itself is never imported."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import DependencyError
from medunsup.core.volume import Volume

FILES = {
    "t1": "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
    "gm": "mni_icbm152_gm_tal_nlin_sym_09a_converted.nii.gz",
    "wm": "mni_icbm152_wm_tal_nlin_sym_09a_converted.nii.gz",
}
MARGIN_VOXELS = 8


@dataclass(frozen=True)
class Template:
    """The MNI152 (ICBM 2009a symmetric) average at 1 mm, cropped around the brain; all on one grid.

    `t1` float32 in [0, 1], skull-stripped; `gm`, `wm`, `csf` float32 probabilities that sum to 1 inside
    `mask` (bool) and are 0 outside. CSF is what GM and WM leave.
    """

    t1: Volume
    gm: Volume
    wm: Volume
    csf: Volume
    mask: Volume

    @cached_property
    def volume_ml(self) -> float:
        """Volume inside the mask, in ml."""
        return float(self.mask.data.sum()) * self.mask.voxel_volume_mm3 / 1000

    @cached_property
    def center_mm(self) -> NDArray[np.float64]:
        """Centroid of the mask in world mm, (3,)."""
        from medunsup.preprocess.geometry.resample import centroid_mm

        return centroid_mm(self.mask)


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Read the template once a process.

    Raises DependencyError if nilearn's data files are not installed.

    References
    ----------
    Fonov et al., Unbiased average age-appropriate atlases for pediatric studies, NeuroImage 54 (2011).
    """
    from medunsup.preprocess.geometry.morphology import fill_holes
    from medunsup.preprocess.geometry.resample import bounding_box, crop

    whole, affine = _read(template_file("t1"))
    mask = fill_holes(whole > 0)
    box = bounding_box(mask, (MARGIN_VOXELS, MARGIN_VOXELS, MARGIN_VOXELS))
    t1 = crop(Volume(whole, affine), box)
    gm, wm = (_read(template_file(kind))[0][box] for kind in ("gm", "wm"))
    mask, affine = mask[box], t1.affine
    gm, wm, csf = _normalised(gm, wm, mask)
    return Template(
        t1=t1,
        gm=Volume(gm, affine, kind="probability"),
        wm=Volume(wm, affine, kind="probability"),
        csf=Volume(csf, affine, kind="probability"),
        mask=Volume(mask, affine, kind="mask"),
    )


def template_file(kind: str) -> Path:
    """Find the MNI152 "t1", "gm" or "wm" in nilearn's folder. Raises DependencyError if it is not there."""
    spec = find_spec("nilearn")
    if spec is None or not spec.submodule_search_locations:
        raise DependencyError(
            "nilearn is not installed, so the MNI152 template is missing; pip install nilearn."
        )
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / FILES[kind]
    if not path.is_file():
        raise DependencyError(f"{path}: the MNI152 template is missing; install nilearn again (>= 0.12).")
    return path


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """One uint8 map as float32 in [0, 1]; the files are RAS+ at 1 mm.

    The last axis lies closest in memory, not the first as in the file: resampling is three times as quick.
    """
    import nibabel

    image = nibabel.load(path)
    data = np.asanyarray(image.dataobj).astype(np.float32, order="C")
    return data / 255, np.asarray(image.affine, dtype=float)


def _normalised(
    gm: NDArray[np.float32], wm: NDArray[np.float32], mask: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """GM, WM and the rest (CSF), summing to 1 inside the mask."""
    total = np.maximum(gm + wm, 1)
    gm, wm = gm / total * mask, wm / total * mask
    return gm, wm, mask - gm - wm
