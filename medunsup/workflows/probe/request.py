"""One probe: of which encoder, on which labelled scans or images, into which folder."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.labelled.read import Source
from medunsup.workflows.probe.settings import ProbeSettings


@dataclass(frozen=True)
class ProbeRequest:
    """One probe: of which encoder, on which labelled scans or images, into which folder.

    `labels` is a table and `column` the one of it that is told; images hold theirs. `mask` is a pattern for
    brain masks, `cache` keeps prepared scans.
    """

    settings: ProbeSettings
    encoder: Path
    data: Path
    out: Path
    labels: Path | None = None
    column: str | None = None
    mask: str | None = None
    cache: Path | None = None
    jobs: int = 1
    force: bool = False

    @property
    def prepared(self) -> Path:
        """Folder of prepared scans."""
        return self.cache or self.out.parent / "prepared"

    @property
    def source(self) -> Source:
        """Where scans or images and their labels are, and who is tested on."""
        chosen = self.settings
        return Source(self.data, self.labels, self.column, self.mask, test=chosen.test, seed=chosen.seed)
