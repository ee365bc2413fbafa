"""What became of each series that arrived, in plain values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class WatchedSeries:
    """What became of one series that arrived.

    Attributes
    ----------
    folder : Path
        Its files in the spool.
    status : {'done', 'error', 'passed over'}
        'passed over' is a series without images, such as a report.
    error : str or None
        Why there is no result.
    warnings : tuple of str
        What a reader of the result should know.
    outputs : dict of str to Path
        Files of the result, by kind.

    Examples
    --------
    >>> import medunsup
    >>> from pathlib import Path
    >>> medunsup.WatchedSeries(Path("spool/study-1/series-2"), "done").error is None
    True
    """

    folder: Path
    status: Literal["done", "error", "passed over"]
    error: str | None = None
    warnings: tuple[str, ...] = ()
    outputs: dict[str, Path] | None = None
