"""Let the scans of a cohort refine the prior, without any label: segment, average, segment again.

Each scan's fractions of the first pass are resampled to template space; the prior of a scan is the mean of
all the others', so that no scan confirms itself. Where few scans have brain, the template fills in.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.core.geometry import Affine, Grid
from medunsup.core.volume import Volume
from medunsup.io.files.npz import read_npz, write_npz
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.priors import registered_priors
from medunsup.tissue.result import TissueResult

SPACING_MM = 2.0
STEPS = 255  # of a stored probability
TEMPLATE_COUNTS_AS = 1.0  # scans
TISSUES = ("GM", "WM", "CSF")
KEPT = {"maps", "affine", "identity"}

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TissueMaps:
    """GM, WM and CSF in template space: `maps` (3, I, J, K) float32, `affine` to template world mm."""

    maps: Array
    affine: Affine

    def volumes(self) -> tuple[Volume, ...]:
        """Return the three maps as volumes."""
        return tuple(Volume(tissue, self.affine, "probability") for tissue in self.maps)


def in_template_space(result: TissueResult, registration: Registration) -> TissueMaps:
    """Resample a result's fractions to template space at 2 mm; 0 where the scan has no brain."""
    from medunsup.preprocess.geometry.resample import resampled

    template = _template_maps()
    i, j, k = template.maps.shape[1:]
    grid = Grid((i, j, k), registration.template_to_scan @ template.affine)
    maps = [resampled(result.fractions[name], grid, order=1) for name in TISSUES]
    return TissueMaps(np.stack(maps), template.affine)


def mean_with_template(total: Array) -> TissueMaps:
    """Average the summed maps of several scans, the template counting as one more; sums to 1 everywhere."""
    template = _template_maps()
    joined = total + np.float32(TEMPLATE_COUNTS_AS) * template.maps
    return TissueMaps(joined / joined.sum(axis=0), template.affine)


def on_scan(prior: TissueMaps, image: Volume, mask: Volume, registration: Registration) -> Array:
    """Place a prior on a scan: (3, I, J, K), sums to 1 inside the mask, 0 outside."""
    gm, wm, _ = prior.volumes()
    return registered_priors(gm, wm, image, mask, registration)


def write_maps(path: Path, maps: TissueMaps, identity: str = "") -> Path:
    """Write maps atomically in steps of 1/255, with what they were made from; same maps, same bytes."""
    coarse = np.rint(np.clip(maps.maps, 0, 1) * STEPS).astype(np.uint8)
    write_npz(path, {"maps": coarse, "affine": maps.affine, "identity": np.array(identity)})
    return path


def read_maps(path: Path) -> TissueMaps:
    """Read what `write_maps` wrote. Raises InputError if it is anything else."""
    stored = _stored(path)
    if stored is None:
        raise InputError(
            f"{path}: is damaged, or no prior that medunsup wrote. Delete it: it is learned again."
        )
    return TissueMaps(stored["maps"].astype(np.float32) / np.float32(STEPS), stored["affine"])


def read_counts(path: Path) -> Array:
    """Read stored maps as whole numbers, 255 for certain, so that sums and differences are exact."""
    return np.rint(read_maps(path).maps * STEPS)


def made_from(path: Path) -> str:
    """Say what stored maps were made from, or nothing if there are none that can be read whole."""
    stored = _stored(path)
    return "" if stored is None else str(stored["identity"])


def fingerprint(identity: object) -> str:
    """Shorten an identity to a hash."""
    return sha256(repr(identity).encode()).hexdigest()


def _stored(path: Path) -> dict[str, NDArray[Any]] | None:
    stored = read_npz(path)
    return stored if stored is not None and stored.keys() >= KEPT else None


@lru_cache(maxsize=1)
def _template_maps() -> TissueMaps:
    """Build the template's own maps at 2 mm; what GM and WM leave is CSF."""
    from medunsup.preprocess.geometry.resample import shrink
    from medunsup.preprocess.geometry.template import load_template

    template = load_template()
    gm, wm = (shrink(volume, SPACING_MM) for volume in (template.gm, template.wm))
    maps = np.stack([gm.data, wm.data, np.clip(1 - gm.data - wm.data, 0, 1)])
    return TissueMaps(maps.astype(np.float32), gm.affine)
