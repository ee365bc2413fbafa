"""A made-up head whose truth is known: ellipsoids in mm, so any grid or tilt shows the same one.

    anatomy = make_anatomy(spacing_mm=(2, 2, 2))
    scan = anatomy.image("T1w", noise=0.03, bias=0.2)

Brain: folded cortex around white matter, ventricles, deep grey, a layer of CSF. Partial volume comes from
supersampling. With `head=True` a skull and a scalp lie around it.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import nibabel
import numpy as np

from medunsup.core.volume import Volume, to_ras

Array = np.ndarray
GM, WM, CSF, SKULL, SCALP = range(5)
BRAIN_SEMIAXES_MM = np.array([68.0, 84.0, 62.0])
CONTRASTS = {
    # signal of GM, WM, CSF, skull, scalp
    "T1w": (70, 100, 30, 10, 85),
    "T2w": (80, 55, 150, 10, 60),
    "FLAIR": (90, 68, 25, 10, 60),
    "PD": (85, 70, 100, 15, 75),
}


@dataclass(frozen=True)
class Anatomy:
    """True fractions (5, I, J, K) of GM, WM, CSF, skull and scalp, on a RAS+ grid."""

    fractions: Array
    affine: Array

    @cached_property
    def mask(self) -> Volume:
        """Intracranial voxels: more than half brain or CSF."""
        return Volume(self.fractions[:3].sum(axis=0) > 0.5, self.affine, "mask")

    @cached_property
    def labels(self) -> Volume:
        """GM 1, WM 2, CSF 3 inside the mask, 0 outside."""
        winner = self.fractions[:3].argmax(axis=0) + 1
        return Volume(np.where(self.mask.data, winner, 0).astype(np.uint8), self.affine, "label")

    @property
    def volumes_ml(self) -> dict[str, float]:
        """True volumes of the three tissues."""
        ml = abs(np.linalg.det(self.affine[:3, :3])) / 1000
        return {name: float(self.fractions[n].sum()) * ml for n, name in enumerate(("GM", "WM", "CSF"))}

    def image(
        self, contrast: str = "T1w", *, noise: float = 0.03, bias: float = 0.2, seed: int = 0
    ) -> Volume:
        """A scan of it: Rician noise with sd `noise` x WM signal, a smooth bias of +- `bias` / 2."""
        signal = np.tensordot(np.array(CONTRASTS[contrast], dtype=np.float32), self.fractions, axes=1)
        signal *= _bias_field(signal.shape, bias)
        rng = np.random.default_rng(seed)
        sd = noise * CONTRASTS[contrast][WM]
        real, imaginary = (rng.normal(0, sd, signal.shape).astype(np.float32) for _ in range(2))
        return Volume(np.hypot(signal + real, imaginary).astype(np.float32), self.affine)


def make_anatomy(
    *,
    spacing_mm: tuple[float, float, float] = (3.0, 3.0, 3.0),
    scale: float = 1.0,
    head: bool = False,
    supersample: int = 2,
    turn_degrees: float = 0.0,
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Anatomy:
    """Build the truth. `scale` shrinks the whole head (0.5: an eighth of the volume, for quick tests).

    `turn_degrees` turns the head about the left-right axis, `shift_mm` moves it on the grid; the grid stays.
    """
    margin_mm = (22.0 if head else 6.0) * scale
    extent = 2 * (BRAIN_SEMIAXES_MM * scale + margin_mm + np.abs(shift_mm))
    spacing = np.array(spacing_mm, dtype=float)
    shape = np.ceil(extent / spacing).astype(int)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (shape - 1) / 2
    offsets = (np.arange(supersample) + 0.5) / supersample - 0.5
    fractions = np.zeros((5, *shape), dtype=np.float32)
    for offset in product(offsets, repeat=3):
        axes = [affine[n, 3] + spacing[n] * (np.arange(shape[n]) + offset[n]) - shift_mm[n] for n in range(3)]
        _add_tissues(fractions, np.meshgrid(*axes, indexing="ij", sparse=True), scale, turn_degrees, head)
    return Anatomy(fractions / supersample**3, affine)


def save(volume: Volume, path: Path, *, axes: str = "RAS", dtype: type = np.float32) -> Path:
    """Write as NIfTI with the voxel axes pointing along `axes` (such as "LPS"), the world unchanged."""
    image = nibabel.Nifti1Image(volume.data.astype(dtype), volume.affine)
    current, wanted = nibabel.io_orientation(volume.affine), nibabel.orientations.axcodes2ornt(tuple(axes))
    turned = image.as_reoriented(nibabel.orientations.ornt_transform(current, wanted))
    turned.header.set_xyzt_units("mm")
    nibabel.save(turned, path)
    return path


def reread(volume: Volume, axes: str) -> Volume:
    """The same volume as if it had been stored along `axes` and brought back to RAS+."""
    current, wanted = nibabel.io_orientation(volume.affine), nibabel.orientations.axcodes2ornt(tuple(axes))
    image = nibabel.Nifti1Image(volume.data, volume.affine)
    turned = image.as_reoriented(nibabel.orientations.ornt_transform(current, wanted))
    data, affine, _, _ = to_ras(np.asarray(turned.dataobj), turned.affine)
    return Volume(data, affine, volume.kind)


def _add_tissues(out: Array, mm: list[Array], scale: float, turn_degrees: float, head: bool) -> None:
    """Count one sub-voxel position of each voxel towards the tissue it lies in."""
    angle = np.deg2rad(turn_degrees)
    x = mm[0] / scale
    y = (np.cos(angle) * mm[1] + np.sin(angle) * mm[2]) / scale
    z = (np.cos(angle) * mm[2] - np.sin(angle) * mm[1]) / scale
    radius = _radius(x, y, z, BRAIN_SEMIAXES_MM)
    fold = 0.10 * np.sin(x / 6) * np.sin(y / 7 + 1) * np.sin(z / 6 + 2)
    is_ventricle = _radius(abs(x) - 11, y + 4, z - 8, (6, 28, 9)) < 1
    is_deep_grey = _radius(abs(x) - 24, y, z - 2, (8, 16, 9)) < 1
    is_brain = radius < 0.94
    is_csf = (radius < 1) & (~is_brain | is_ventricle)
    is_wm = is_brain & (radius + fold < 0.74) & ~is_ventricle & ~is_deep_grey
    out[CSF] += is_csf
    out[WM] += is_wm
    out[GM] += is_brain & ~is_csf & ~is_wm
    if head:
        is_inside_skull = _radius(x, y, z, BRAIN_SEMIAXES_MM + 7) < 1
        out[SKULL] += is_inside_skull & (radius >= 1)
        out[SCALP] += (_radius(x, y, z, BRAIN_SEMIAXES_MM + 15) < 1) & ~is_inside_skull


def _radius(x: Array, y: Array, z: Array, semiaxes: Array | tuple[float, ...]) -> Array:
    """Distance from the centre in units of an ellipsoid's own radius."""
    return np.sqrt((x / semiaxes[0]) ** 2 + (y / semiaxes[1]) ** 2 + (z / semiaxes[2]) ** 2)


def _bias_field(shape: tuple[int, ...], strength: float) -> Array:
    """A smooth field between 1 - strength / 2 and 1 + strength / 2, brightest at one upper corner."""
    i, j, k = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij", sparse=True)
    ramp = 0.4 * i + 0.3 * j * k + 0.3 * np.cos(2 * k)
    return (1 + strength / 2 * np.clip(ramp, -1, 1)).astype(np.float32)
