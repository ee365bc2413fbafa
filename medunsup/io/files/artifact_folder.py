"""A folder of what was learned: arrays, texts, and a manifest with their hashes; written whole."""

import lzma
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import InputError
from medunsup.io.files.atomic import atomic_path, write_json
from medunsup.io.files.hashes import hash_file
from medunsup.io.files.transaction import Staging

COMPRESSED = ".xz"  # behind the name of arrays that are compressed

Arrays = dict[str, NDArray[Any]]
Hashes = Mapping[str, str]


@dataclass(frozen=True)
class ArtifactFolder:
    """A folder and the SHA-256 of each of its files, by name, as they were when it was written."""

    path: Path
    hashes: Hashes

    def stored(self, name: str) -> str:
        """Return how a file of arrays is called here: compressed ones end in `COMPRESSED`."""
        return name if name in self.hashes else name + COMPRESSED

    def arrays(self, name: str) -> Arrays:
        """Read arrays, unless they are other than what was written: what is made of them would mean nothing.

        Raises InputError if the file is missing, damaged, or has another hash.
        """
        path = self.path / self.stored(name)
        arrays = read_arrays(path)
        if hash_file(path) != self.hashes.get(path.name):
            raise InputError(
                f"{path}: is not what training wrote (its hash differs). Copy it again, or train again."
            )
        return arrays

    def changed(self) -> list[str]:
        """Name the files whose content is not what was written."""
        return [
            name
            for name, value in self.hashes.items()
            if not (self.path / name).is_file() or hash_file(self.path / name) != value
        ]


def write_artifact(
    folder: Path,
    files: Mapping[str, str | bytes],
    manifest: str,
    describe: Callable[[Hashes], Any],
    *,
    kind: str,
    outdated: Iterable[str] = (),
) -> None:
    """Write all files or none; `manifest` comes last, so where it is, the folder is whole.

    A name may lie in a folder, as "images/mean.nii.gz" does. `describe` makes what the manifest says (JSON)
    of the hashes of the files. `kind` names what is written to `transaction.recover`; files that are
    `outdated` are removed. The folder is locked by the caller.

    Raises OutputError on a full or unwritable disk.
    """
    with Staging(folder, kind) as staging:
        for name, content in files.items():
            with atomic_path(staging.place(folder / name)) as temporary:
                temporary.write_bytes(content if isinstance(content, bytes) else content.encode())
        hashes = {name: hash_file(staging.place(folder / name)) for name in files}
        write_json(staging.place(folder / manifest), describe(hashes))
        staging.publish(last=folder / manifest, outdated=[folder / name for name in outdated])


def arrays_as_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Pack named arrays as safetensors."""
    from safetensors.numpy import save

    ready = {name: np.array(value, order="C", copy=None) for name, value in arrays.items()}
    return bytes(save(ready))


def compressed(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Pack named arrays as safetensors in an xz file, with the settings that suit numbers of two bytes."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9, "lc": 0, "lp": 1, "pb": 1}]
    return lzma.compress(arrays_as_bytes(arrays), format=lzma.FORMAT_XZ, filters=filters)


def widened(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Bring half precision to float32, in which all is computed."""
    return {
        name: value.astype(np.float32) if value.dtype == np.float16 else value
        for name, value in arrays.items()
    }


def read_arrays(path: Path) -> Arrays:
    """Read named arrays, half precision widened to float32, in which all is computed.

    Raises InputError if the file is missing, cut short or no safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load, load_file

    try:
        is_compressed = path.name.endswith(COMPRESSED)
        arrays = load(lzma.decompress(path.read_bytes())) if is_compressed else load_file(path)
        return widened(arrays)
    except FileNotFoundError as error:
        raise InputError(f"{path}: is missing. Copy the whole model folder, or train again.") from error
    except (SafetensorError, lzma.LZMAError, EOFError, OSError, struct.error, ValueError) as error:
        raise InputError(
            f"{path}: is damaged or cut short ({error}). Copy it again, or train again."
        ) from error
