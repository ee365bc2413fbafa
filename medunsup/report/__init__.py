"""Pages a radiologist opens from disk."""

from medunsup.core.lazy import attach

_HOMES = {"write_group": "medunsup.report.segment.group_page", "write_page": "medunsup.report.segment.page"}

__getattr__, __dir__ = attach(__name__, _HOMES)
