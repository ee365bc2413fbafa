"""Decode DICOM pixels, slice by slice, into the units the scanner meant."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels import apply_modality_lut, get_decoder, iter_pixels
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from medunsup.core.errors import DependencyError, InputError
from medunsup.core.extras import install
from medunsup.io.dicom.headers import TAGS
from medunsup.io.dicom.slices import Slice
from medunsup.io.notes import Notes


def decode(ordered: Sequence[Slice], notes: Notes) -> Iterator[NDArray[Any]]:
    """Yield slices (columns, rows) in the order given, rescaled.

    Raises DependencyError naming the extra whose codec is missing, InputError if the pixels are damaged.
    """
    for path, group in groupby(ordered, key=lambda item: item.path):
        items = list(group)
        _check_alignment(items[0])
        for item, decoded in zip(items, _frames(path, items), strict=True):
            raw = _stored_bits(item, decoded)
            turned = _inverted(item, raw, notes) if _is_low_white(item) else raw
            yield _rescaled(item, turned).T


def _frames(path: Path, items: Sequence[Slice]) -> Iterator[NDArray[Any]]:
    """Decode some frames of one file."""
    try:
        yield from iter_pixels(_source(path, items[0]), indices=[item.frame for item in items])
    except Exception as error:  # codecs raise whatever they like
        _check_codec(items[0])
        raise InputError(
            f"{path}: the pixels cannot be decoded ({_first_line(error)}). Copy the file again."
        ) from error


def _check_alignment(item: Slice) -> None:
    """Refuse compressed values that do not begin at the lowest bit: codecs differ in what they make of it."""
    if _n_low_bits(item) and _is_compressed(item):
        raise InputError(
            f"{item.path}: its values are compressed and lie in the upper bits of each sample (HighBit "
            f"{item.header.get('HighBit')}, BitsStored {item.header.get('BitsStored')}), which is read "
            "uncompressed only. Export the series uncompressed."
        )


def _n_low_bits(item: Slice) -> int:
    """How many bits lie below the value in each sample, as in an old way of storing."""
    high, stored = item.header.get("HighBit"), item.header.get("BitsStored")
    known = isinstance(high, int) and isinstance(stored, int)
    return max(0, high - (stored - 1)) if known else 0


def _is_compressed(item: Slice) -> bool:
    syntax = _syntax(item)
    return syntax is not None and syntax.is_compressed and syntax != DeflatedExplicitVRLittleEndian


def _stored_bits(item: Slice, decoded: NDArray[Any]) -> NDArray[Any]:
    """Take the highest stored bit for the sign, or the first of the value, whatever stands above and below.

    pydicom does so too, but not where JPEG-LS or JPEG 2000 hold more bits a sample than are stored.
    """
    n_bits, below = 8 * decoded.dtype.itemsize, _n_low_bits(item)
    unused = n_bits - int(item.header.get("BitsStored") or n_bits)
    if decoded.dtype.kind not in "iu" or unused <= 0:
        return decoded
    return np.right_shift(np.left_shift(decoded, unused - below), unused)


def _source(path: Path, item: Slice) -> Any:
    """Return what pydicom decodes from: the path, or a data set where it cannot decode from a path.

    Those are files deflated as a whole, bare ones without a preamble to tell their encoding, and those that
    hold their values in the upper bits of each sample.
    """
    syntax, below = _syntax(item), _n_low_bits(item)
    if syntax is not None and syntax != DeflatedExplicitVRLittleEndian and not below:
        return path
    data = dcmread(path, specific_tags=[*TAGS, "BitsAllocated", "HighBit", "PixelData"], force=True)
    if below:  # else pydicom would cut off as many of the highest bits
        data.BitsStored += below
    if syntax is None:
        data.file_meta.TransferSyntaxUID = _bare_syntax(data)
    return data


def _syntax(item: Slice) -> UID | None:
    uid = getattr(item.header, "file_meta", {}).get("TransferSyntaxUID")
    return UID(str(uid)) if uid else None


def _bare_syntax(data: Any) -> UID:
    is_implicit, is_little = data.original_encoding
    if is_implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if is_little else ExplicitVRBigEndian


def _check_codec(item: Slice) -> None:
    syntax = _syntax(item) or ImplicitVRLittleEndian
    try:
        available = get_decoder(syntax).is_available
    except NotImplementedError as error:
        raise InputError(
            f"{item.path}: its encoding ({syntax.name}) is not supported. Export it uncompressed."
        ) from error
    if not available:
        raise DependencyError(
            f"{item.path}: is stored as {syntax.name}, which {_decoder_of(syntax)} decodes; it is not "
            f"installed. In the folder of medunsup: {install('jpeg')}; or export the series uncompressed."
        )


def _decoder_of(syntax: UID) -> str:
    if "JPEG-LS" in syntax.name:
        return "pyjpegls"
    return "pylibjpeg-openjpeg" if "2000" in syntax.name else "pylibjpeg-libjpeg"


def _is_low_white(item: Slice) -> bool:
    return bool(item.header.get("PhotometricInterpretation") == "MONOCHROME1")


def _inverted(item: Slice, raw: NDArray[Any], notes: Notes) -> NDArray[Any]:
    """Turn MONOCHROME1 (low is white) around."""
    notes["photometric_interpretation"] = "MONOCHROME1, inverted on loading"
    bits = int(item.header.get("BitsStored", 16))
    signed = int(item.header.get("PixelRepresentation", 0))
    return np.int64(-1 if signed else 2**bits - 1) - raw.astype(np.int64)


def _rescaled(item: Slice, raw: NDArray[Any]) -> NDArray[Any]:
    if item.header.get("ModalityLUTSequence"):
        return apply_modality_lut(raw, item.header)
    if item.slope == 1 and item.intercept == 0:
        return raw
    return raw.astype(np.float32) * np.float32(item.slope) + np.float32(item.intercept)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".:")
