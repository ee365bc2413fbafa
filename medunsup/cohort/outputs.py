"""What all scans of a folder share: a table that is ours, and a page where there are scans enough."""

from collections.abc import Iterable
from pathlib import Path

from medunsup.core.errors import OutputError
from medunsup.core.hints import option
from medunsup.io.bids.derivatives import check_root
from medunsup.io.bids.names import OutputNames
from medunsup.io.bids.outputs import Output

FEWEST = 2  # scans of which a page compares


def check_roots(names: Iterable[OutputNames], table: Output) -> None:
    """Raise OutputError if a folder that results go into holds a data set or table that is not ours."""
    for root, is_bids in {(each.root, each.is_bids) for each in names}:
        if root is not None:
            check_table(root / table.name)
            if is_bids:
                check_root(root)


def check_table(path: Path) -> None:
    """Raise OutputError if a table of that name is there that is not ours."""
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith("scan\t"):
        raise OutputError(
            f"{path}: is there already and not ours. Move it, or choose another folder with {option('out')}."
        )
