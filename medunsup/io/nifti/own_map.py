"""Read a map that medunsup wrote: it may be empty or constant, which is refused of a scan."""

from pathlib import Path

import numpy as np

from medunsup.core.errors import InputError
from medunsup.core.hints import both
from medunsup.core.volume import Volume, to_ras


def read_own_map(path: Path) -> Volume:
    """Return the map as RAS+ float32.

    Raises InputError if the file is gone or damaged.
    """
    import nibabel

    try:
        image = nibabel.load(path)
        data = np.asarray(image.dataobj, dtype=np.float32)
    except (OSError, EOFError, ValueError, nibabel.filebasedimages.ImageFileError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}). Run it again with {both('force', True)}."
        ) from error
    turned, affine, _, _ = to_ras(data, np.asarray(image.affine, dtype=float))
    return Volume(turned, affine, "score")
