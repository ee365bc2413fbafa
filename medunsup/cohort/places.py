"""Where the results of a run go, said before it begins; `io.bids.names.output_names` holds the rule."""

import logging
from collections.abc import Sequence

from medunsup.core.notice import tell
from medunsup.io.bids.names import OutputNames

SHOWN = 2

log = logging.getLogger(__name__)


def tell_where(names: Sequence[OutputNames]) -> None:
    """Log where the results of a run go."""
    if names:
        tell(log, "Results go to %s.", where(names))


def where(names: Sequence[OutputNames]) -> str:
    """Name the folders that results go to, and say so if these are the scans' own."""
    folders = list(dict.fromkeys((each.root or each.folder).absolute() for each in names))
    shown = ", ".join(str(folder) for folder in folders[:SHOWN])
    more = f" and {len(folders) - SHOWN} more folders" if len(folders) > SHOWN else ""
    beside = ", beside the scan" if all(each.root is None for each in names) else ""
    return f"{shown}{more}{beside}{'s' if beside and len(names) > 1 else ''}"
