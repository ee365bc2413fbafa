"""The one image type: an array with its place in the world and the input grid it came from."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError
from medunsup.core.geometry import Affine, Grid, check_same_grid
from medunsup.core.shown import Shown

Kind = Literal["image", "label", "probability", "mask", "score"]


@dataclass(frozen=True, eq=False)
class Source:
    """The file a volume came from, as it lies on disk.

    Attributes
    ----------
    path : str
        Path of the file or folder.
    format : {'nifti', 'mgz', 'dicom', 'array'}
        What kind of file it is.
    grid : Grid
        The file's own grid, of any axis order.
    axes : tuple of int
        Axis of the file that became each RAS+ axis.
    flips : tuple of bool
        Whether that axis was reversed on the way.
    sha256 : str or None
        Hash of the file.
    header : object
        The file's header.
    notes : dict
        What was chosen and what was repaired; never a patient's data.
    """

    path: str
    format: Literal["nifti", "mgz", "dicom", "array"]
    grid: Grid
    axes: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)
    sha256: str | None = None
    header: Any = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def ras_grid(self) -> Grid:
        """The grid of the input after its axes were turned to RAS+."""
        i, j, k = (self.grid.shape[axis] for axis in self.axes)
        return Grid((i, j, k), ras_affine(self.grid.affine, (i, j, k), self.axes, self.flips))


@dataclass(frozen=True, eq=False, repr=False)
class Volume(Shown):
    """A scan or a map: voxels with their place in the world.

    Parameters
    ----------
    data : ndarray of shape (I, J, K)
        Voxels in RAS+ axis order: I to the right, J to anterior, K to superior. Images, scores and
        probabilities are float32, labels uint8, masks bool.
    affine : ndarray of shape (4, 4)
        From voxel indices to world RAS coordinates in mm.
    kind : {'image', 'label', 'probability', 'mask', 'score'}, default 'image'
        What the voxels mean.
    source : Source, optional
        The file it came from: its own grid, hash and notes.

    Raises
    ------
    GeometryError
        If `data` has not three axes.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> volume = medunsup.Volume(np.zeros((4, 5, 6), np.float32), np.diag([1.0, 1.0, 2.0, 1.0]))
    >>> volume
    <Volume: image, 4 x 5 x 6 voxels of 1 x 1 x 2 mm>
    >>> volume.voxel_volume_mm3
    2.0
    """

    data: NDArray[Any]
    affine: Affine
    kind: Kind = "image"
    source: Source | None = None

    def __post_init__(self) -> None:
        if self.data.ndim != 3:
            raise GeometryError(f"A volume has three axes, got shape {self.data.shape}.")

    def __repr__(self) -> str:
        """Say what it is, not every voxel of it."""
        shape, spacing = (" x ".join(f"{n:.4g}" for n in each) for each in (self.shape, self.spacing_mm))
        return f"<Volume: {self.kind}, {shape} voxels of {spacing} mm>"

    @property
    def body_part(self) -> str | None:
        """What part of the body the scanner says this is; None where nothing is said."""
        return None if self.source is None else self.source.notes.get("body_part")

    @cached_property
    def grid(self) -> Grid:
        """The RAS+ grid of `data`."""
        i, j, k = self.data.shape
        return Grid((i, j, k), self.affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along each RAS+ axis."""
        return self.grid.shape

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel spacing in mm along each RAS+ axis."""
        return self.grid.spacing_mm

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm³."""
        return self.grid.voxel_volume_mm3

    def like(self, data: NDArray[Any], kind: Kind | None = None) -> "Volume":
        """Return another map on this grid, with the same source.

        Parameters
        ----------
        data : ndarray of shape (I, J, K)
            Voxels of the map, in the same axis order.
        kind : {'image', 'label', 'probability', 'mask', 'score'}, optional
            What they mean; without it, what those of this volume do.

        Returns
        -------
        Volume
            The map.

        Raises
        ------
        GeometryError
            If the shape is another.

        Examples
        --------
        >>> import medunsup
        >>> scan = medunsup.load("scan.nii.gz")
        >>> scan.like(scan.data > 0, kind="mask").kind
        'mask'
        """
        if data.shape != self.data.shape:
            raise GeometryError(f"Expected an array of shape {self.data.shape}, got {data.shape}.")
        return replace(self, data=data, kind=kind or self.kind)

    def in_source_space(self) -> tuple[NDArray[Any], Affine]:
        """Return the voxels in the axis order of the file, with its own affine, exactly.

        Nothing is interpolated: axes are permuted and flipped alone.

        Returns
        -------
        data : ndarray
            Voxels in the order of the file.
        affine : ndarray of shape (4, 4)
            The affine that the file has.

        Raises
        ------
        GeometryError
            If the volume was cut or resampled since it was loaded.

        Examples
        --------
        >>> import medunsup
        >>> scan = medunsup.load("scan.nii.gz")
        >>> data, affine = scan.in_source_space()
        >>> bool((affine == scan.source.grid.affine).all())
        True
        """
        if self.source is None:
            return self.data, self.affine
        check_same_grid(self.grid, self.source.ras_grid, "the map and the scan it came from")
        flip = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in self.source.flips)
        restored = self.data[flip].transpose(np.argsort(self.source.axes))
        return np.ascontiguousarray(restored), self.source.grid.affine


def to_ras(
    data: NDArray[Any], affine: Affine
) -> tuple[NDArray[Any], Affine, tuple[int, int, int], tuple[bool, bool, bool]]:
    """Reorder and flip axes so that they point right, anterior, superior as nearly as they can.

    Returns the view, its affine, and the `axes` and `flips` that `Source` keeps. No interpolation.
    """
    axes, flips = ras_axes(affine)
    moved = data.transpose(axes)
    flip = tuple(slice(None, None, -1) if flipped else slice(None) for flipped in flips)
    return moved[flip], ras_affine(affine, moved.shape, axes, flips), axes, flips


def ras_affine(
    affine: Affine, ras_shape: tuple[int, ...], axes: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> Affine:
    """Affine (4, 4) of an array of shape `ras_shape` after its axes were permuted and flipped."""
    result = affine.copy()
    result[:3, :3] = affine[:3, :3][:, list(axes)]
    for axis, flipped in enumerate(flips):
        if flipped:
            result[:3, 3] += result[:3, axis] * (ras_shape[axis] - 1)
            result[:3, axis] *= -1
    return result


def ras_axes(affine: Affine) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which input axis comes nearest to R, A and S, and whether it points the other way.

    The assignment maximises the summed alignment, so oblique axes are never used twice.
    """
    from itertools import permutations

    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    axes = max(permutations(range(3)), key=lambda order: sum(abs(directions[n, order[n]]) for n in range(3)))
    flips = tuple(bool(directions[n, axes[n]] < 0) for n in range(3))
    return axes, flips  # type: ignore[return-value]
