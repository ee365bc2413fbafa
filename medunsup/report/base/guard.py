"""Writing a report page beside the maps."""

from collections.abc import Callable

from medunsup.core.errors import MedunsupError
from medunsup.core.record import Record


def is_drawn(draw: Callable[[], object], record: Record) -> bool:
    """Draw and write a page; a defect in it is recorded and costs the page, not the maps."""
    try:
        draw()
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - drawing fails in ways nobody can list
        step = record.step("report")
        step.warn(f"The report page could not be made ({type(error).__name__}: {error}).")
        step.outcome = "failed"
        return False
    return True
