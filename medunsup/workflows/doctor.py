"""Examine this computer: what is installed, what it can read, where it can write."""

import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from medunsup.core.cores import available_cores
from medunsup.core.errors import MedunsupError
from medunsup.core.extras import install
from medunsup.core.hints import option
from medunsup.core.version import __version__

ESSENTIAL = (
    "numpy",
    "scipy",
    "nibabel",
    "simpleitk",
    "pydicom",
    "highdicom",
    "nilearn",
    "scikit-learn",
    "matplotlib",
    "jinja2",
    "pydantic",
)
EXTRAS = ("deepbet",)
JPEG = f"In the folder of medunsup: {install('jpeg')}"
CODECS = {
    "JPEG-LS": ("1.2.840.10008.1.2.4.80", JPEG),
    "JPEG lossless": ("1.2.840.10008.1.2.4.70", JPEG),
    "HTJ2K": ("1.2.840.10008.1.2.4.201", JPEG),
    "JPEG 2000": ("1.2.840.10008.1.2.4.90", "pip install pillow"),
    "RLE": ("1.2.840.10008.1.2.5", "pip install pydicom"),
}
GIB = 2**30
NEEDED_MEMORY_GIB, NEEDED_DISK_GIB = 1.5, 1.0


@dataclass(frozen=True)
class Finding:
    """One thing examined: how it is, and what to do about it. `missing` means nothing works without it."""

    name: str
    state: Literal["ok", "advice", "missing"]
    found: str
    advice: str = ""


def examine(out: Path) -> list[Finding]:
    """Examine everything a segmentation with results in `out` needs."""
    return [*_versions(), _cores(), _memory(), *_codecs(), _template(), _write_access(out), _disk(out)]


def _versions() -> Iterator[Finding]:
    yield Finding("medunsup", "ok", f"{__version__} on Python {platform.python_version()}")
    for package in ESSENTIAL:
        found = _version(package)
        advice = "" if found else f"pip install {package}"
        yield Finding(package, "ok" if found else "missing", found or "not installed", advice)
    further = {
        "torch": "deep methods",
        "monai": "medunsup.transforms",
        "deepbet": option("brain", "deepbet"),
    }
    for package, use in further.items():
        found = _version(package)
        advice = f"In the folder of medunsup: {install(package)}" if package in EXTRAS and not found else ""
        yield Finding(package, "ok", found or f"not installed (only needed for {use})", advice)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cores() -> Finding:
    usable = available_cores()
    return Finding("cores", "ok", f"{usable}; use {option('jobs', usable)} for many scans")


def _memory() -> Finding:
    import psutil

    free = psutil.virtual_memory().available / GIB
    if free >= NEEDED_MEMORY_GIB:
        return Finding("memory", "ok", f"{free:.1f} GiB free")
    return Finding(
        "memory", "advice", f"{free:.1f} GiB free", "Close other programs; one scan needs about 1 GiB."
    )


def _codecs() -> Iterator[Finding]:
    try:
        from pydicom.pixels import get_decoder
    except ImportError:
        return
    for name, (syntax, advice) in CODECS.items():
        can_read = get_decoder(syntax).is_available
        found = "can be read" if can_read else "cannot be read"
        yield Finding(f"DICOM {name}", "ok" if can_read else "advice", found, "" if can_read else advice)


def _template() -> Finding:
    from medunsup.preprocess.geometry.template import template_file

    try:
        for kind in ("t1", "gm", "wm"):
            template_file(kind)
    except MedunsupError as error:
        return Finding("template", "missing", "MNI152 is not there", str(error))
    return Finding("template", "ok", "MNI152 T1, GM and WM (from nilearn)")


def _write_access(out: Path) -> Finding:
    folder = _existing(out)
    try:
        with tempfile.TemporaryFile(dir=folder):
            return Finding("write access", "ok", str(folder.absolute()))
    except OSError as error:
        found = f"{folder.absolute()}: {error.strerror}"
        return Finding("write access", "missing", found, f"Choose another folder with {option('out')}.")


def _disk(out: Path) -> Finding:
    free = shutil.disk_usage(_existing(out)).free / GIB
    if free >= NEEDED_DISK_GIB:
        return Finding("disk", "ok", f"{free:.1f} GiB free")
    return Finding(
        "disk", "advice", f"{free:.1f} GiB free", "A scan's results need up to 0.1 GiB: free some space."
    )


def _existing(out: Path) -> Path:
    """Return the folder, or the nearest one above that is there."""
    return next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
