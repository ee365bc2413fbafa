"""The packages that speak DICOM's protocols, imported when they are needed."""

from importlib import import_module
from typing import Any

from medunsup.core.errors import DependencyError
from medunsup.core.extras import install


def pynetdicom() -> Any:
    """Return pynetdicom. Raises DependencyError if it is not installed."""
    return _imported("pynetdicom")


def dicomweb_client() -> Any:
    """Return the DICOMweb client. Raises DependencyError if it is not installed."""
    return _imported("dicomweb_client")


def requests() -> Any:
    """Return the HTTP package that the DICOMweb client brings. Raises DependencyError if it is missing."""
    return _imported("requests")


def _imported(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise DependencyError(
            f"{name} is not installed, which DICOM networks need. Install it: {install('dicom-net')}."
        ) from error
