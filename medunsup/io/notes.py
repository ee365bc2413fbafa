"""Facts about an input for its sidecar, and warnings that are logged once as they are recorded."""

import logging
from typing import Any

from medunsup.core.notice import warn_of_record

log = logging.getLogger("medunsup.io")


class Notes(dict[str, Any]):
    """What becomes `Source.notes`: plain values for JSON, never a patient tag."""

    def warn(self, path: object, message: str) -> None:
        """Log a warning that names the file, and keep its text under 'warnings'."""
        warn_of_record(log, "%s: %s", path, message)
        self.setdefault("warnings", []).append(message)
