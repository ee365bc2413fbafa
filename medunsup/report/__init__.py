"""Pages a radiologist opens from disk."""

from medunsup.core.lazy import attach

# `write_group` reads results from disk, which a layer above does.
_HOMES = {"write_group": "medunsup.workflows.segment.group", "write_page": "medunsup.report.segment.page"}

__getattr__, __dir__ = attach(__name__, _HOMES)
