"""Made-up NIfTI files whose content is known, and their bytes to break."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

OBLIQUE = np.array(
    [[0.9, 0.1, -0.2, -12.5], [-0.12, 1.2, 0.3, 7.25], [0.16, -0.4, 2.0, 31.0], [0, 0, 0, 1]], dtype=float
)


def make_values(shape=(5, 6, 7), dtype=np.int16, seed=0):
    """Array of distinct small integers."""
    return np.random.default_rng(seed).permutation(int(np.prod(shape))).reshape(shape).astype(dtype)


def make_nifti(path: Path, data=None, affine=None, *, kind=nib.Nifti1Image, edit=None) -> Path:
    """Write one image; `edit(image)` may change it or its header before it is saved."""
    data = make_values() if data is None else data
    affine = np.diag([1.5, 1.0, 2.0, 1.0]) if affine is None else affine
    image = kind(data, affine)
    if edit is not None:
        edit(image)
    nib.save(image, path)
    return path


def edit_bytes(path: Path, change) -> Path:
    """Apply `change(bytes) -> bytes` to the file's content, below its compression."""
    packed = path.name.endswith(".gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    content = change(content)
    path.write_bytes(gzip.compress(bytes(content)) if packed else bytes(content))
    return path


def set_fields(path: Path, **fields) -> Path:
    """Overwrite header fields as they are stored, past nibabel's own checks."""

    def change(content):
        header = nib.Nifti1Header(bytes(content[:348]), endianness="<", check=False)
        for name, value in fields.items():
            header[name] = value
        content[:348] = header.binaryblock
        return content

    return edit_bytes(path, change)
