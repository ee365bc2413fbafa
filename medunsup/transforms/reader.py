"""The front door of medunsup as a MONAI image reader."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import ImageReader
from monai.utils import MetaKeys, SpaceKeys
from numpy.typing import NDArray

from medunsup.core.geometry import Grid, check_same_grid
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates, load

SUFFIXES = (".nii", ".nii.gz", ".mgz", ".mgh", ".img", ".hdr", ".dcm", ".ima")


class MedunsupReader(ImageReader):
    """Image reader for MONAI that reads NIfTI, MGZ and DICOM with medunsup's checks.

    Arrays keep the axis order of the file and its affine (RAS mm), as with MONAI's own readers; several files
    of one grid become channels.

    Parameters
    ----------
    volume : int, optional
        Volume of a 4D file, counted from 0.
    series : str or int, optional
        DICOM series of a folder that holds several, by its number or UID.
    coordinates : {'auto', 'sform', 'qform'}, default 'auto'
        Which of a NIfTI file's two coordinate systems to use if they differ.

    Notes
    -----
    MONAI tries its other readers when `read` fails, and those take a series with a missing slice or a tilt
    wrongly and in silence. So `read` gives paths alone, and `get_data` loads: its errors reach the user.

    Examples
    --------
    >>> from medunsup.transforms import MedunsupReader
    >>> reader = MedunsupReader()
    >>> reader.verify_suffix("scan.nii.gz")
    True
    >>> array, meta = reader.get_data(reader.read("scan.nii.gz"))
    >>> array.ndim, meta["format"]
    (3, 'nifti')
    """

    def __init__(
        self,
        *,
        volume: int | None = None,
        series: str | int | None = None,
        coordinates: Coordinates = "auto",
    ) -> None:
        super().__init__()
        self.volume = volume
        self.series = series
        self.coordinates = coordinates

    def verify_suffix(self, filename: Sequence[str | Path] | str | Path) -> bool:
        """Whether the names are a folder's, or end as scans do.

        Parameters
        ----------
        filename : str, Path or sequence of these
            One name or several.

        Returns
        -------
        bool
            True if all are.
        """
        return all(Path(name).is_dir() or str(name).lower().endswith(SUFFIXES) for name in _each(filename))

    def read(self, data: Sequence[str | Path] | str | Path, **kwargs: Any) -> list[Path]:
        """Return the paths alone; `get_data` reads them.

        Parameters
        ----------
        data : str, Path or sequence of these
            One file or several.
        **kwargs
            Ignored; there for MONAI.

        Returns
        -------
        list of Path
            The paths.
        """
        return [Path(name) for name in _each(data)]

    def get_data(self, img: Sequence[Path]) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Read the files.

        Parameters
        ----------
        img : sequence of Path
            What `read` returned.

        Returns
        -------
        array : ndarray of shape (I, J, K), or (C, I, J, K) of several files
            Voxels in the order of the file, float32.
        meta : dict
            Affine, shape, format and hash.

        Raises
        ------
        InputError
            If a file cannot be read.
        GeometryError
            If the place of the voxels is missing, irregular or contradictory, or several files' grids differ.
        """
        volumes = [self._load(path) for path in img]
        arrays, grids = zip(*[_in_file_order(volume) for volume in volumes], strict=True)
        for grid, path in zip(grids[1:], img[1:], strict=True):
            check_same_grid(grids[0], grid, f"{img[0]} and {path}")
        meta = _metadata(volumes[0], grids[0], several=len(volumes) > 1)
        return (arrays[0] if len(arrays) == 1 else np.stack(arrays)), meta

    def _load(self, path: Path) -> Volume:
        return load(path, volume=self.volume, series=self.series, coordinates=self.coordinates)


def _in_file_order(volume: Volume) -> tuple[NDArray[np.float32], Grid]:
    array, affine = volume.in_source_space()
    i, j, k = array.shape
    return array, Grid((i, j, k), affine)


def _metadata(volume: Volume, grid: Grid, *, several: bool) -> dict[str, Any]:
    """Only strings, numbers and arrays, the same keys for every format: a DataLoader must batch them."""
    source = volume.source
    return {
        MetaKeys.AFFINE: grid.affine.copy(),
        MetaKeys.ORIGINAL_AFFINE: grid.affine.copy(),
        MetaKeys.SPATIAL_SHAPE: np.array(grid.shape),
        MetaKeys.SPACE: SpaceKeys.RAS,
        MetaKeys.ORIGINAL_CHANNEL_DIM: 0 if several else float("nan"),
        "format": source.format if source else "array",
        "sha256": (source.sha256 if source else None) or "",
        "coordinates": str(source.notes.get("coordinates", "")) if source else "",
    }


def _each(names: Sequence[str | Path] | str | Path) -> list[str | Path]:
    return [names] if isinstance(names, str | Path) else list(names)
