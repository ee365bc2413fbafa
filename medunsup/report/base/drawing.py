"""Drawing may fail in ways nobody can list: a defect costs the page, never the results it would show."""

import logging
from collections.abc import Callable
from pathlib import Path

from medunsup.core.errors import MedunsupError
from medunsup.core.record import Record

log = logging.getLogger(__name__)


def is_drawn(draw: Callable[[], object], record: Record) -> bool:
    """Draw and write a scan's page; a defect in it is recorded."""
    try:
        draw()
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - see above
        step = record.step("report")
        step.warn(f"The report page could not be made ({type(error).__name__}: {error}).")
        step.outcome = "failed"
        return False
    return True


def drawn(root: Path, draw: Callable[[], Path]) -> Path | None:
    """Return the page that `draw` makes of all scans in `root`, or None after a defect, which is logged."""
    try:
        return draw()
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - see above
        log.error("%s: the page of all scans could not be made (%s: %s).", root, type(error).__name__, error)
        return None
