"""What became of each file that was sent, in plain values."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from medunsup.core.shown import Shown

TAKEN = ("accepted", "already stored", "sent before")


@dataclass(frozen=True)
class SentFile:
    """What became of one file.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        Kind of object, such as 'MR Image'.
    status : {'accepted', 'already stored', 'sent before', 'refused', 'not sent'}
        'sent before' is a file that this archive took in an earlier run; 'not sent' one that the connection
        did not last for.
    why : str
        Reason, or what there is to know of it.
    """

    path: Path
    kind: str
    status: Literal["accepted", "already stored", "sent before", "refused", "not sent"]
    why: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether the archive has it."""
        return self.status in TAKEN


@dataclass(frozen=True, repr=False)
class SendResult(Shown):
    """What became of files that were sent to an archive.

    Attributes
    ----------
    archive : str
        Where they were sent.
    files : tuple of SentFile
        One for each file.

    Examples
    --------
    >>> import medunsup
    >>> medunsup.SendResult("127.0.0.1:4242", ()).n_not_taken
    0
    """

    archive: str
    files: tuple[SentFile, ...]

    @property
    def n_not_taken(self) -> int:
        """How many files the archive has not taken."""
        return sum(not file.is_taken for file in self.files)
