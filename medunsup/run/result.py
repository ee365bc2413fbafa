"""The result of `medunsup.segment`: a `TissueResult` that can save itself."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.preprocess.register import Placement
from medunsup.run.export import save
from medunsup.run.request import Identity
from medunsup.tissue.result import TissueResult


@dataclass(frozen=True, repr=False)
class SegmentResult(TissueResult):
    """Everything `segment` found, ready to be looked at or saved.

    `identity` says from which inputs and choices it was made, `command` the command line that makes it,
    `placement` where the template lies on the scan.
    """

    identity: Identity
    command: str
    placement: Placement | None = None

    def save(self, out: str | Path | None = None, *, force: bool = False) -> dict[str, Path]:
        """Write all maps, tables, sidecars and the report page; return the paths by kind.

        `out` is a folder; without it the results go beside the scan, or to derivatives/medunsup of the
        BIDS data set that a scan named after BIDS lies in.

        Raises OutputError if a result is there already and `force` is not set, or on a full or
        unwritable folder.
        """
        return save(self, None if out is None else Path(out), force=force)
