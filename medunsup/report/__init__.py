"""Pages a radiologist opens from disk."""

from medunsup.core.lazy import attach

_HOMES = {"write_group": "medunsup.report.group", "write_page": "medunsup.report.page"}

__getattr__, __dir__ = attach(__name__, _HOMES)
