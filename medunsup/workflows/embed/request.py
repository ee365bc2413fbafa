"""One table of features to make: of which scans or images, and where to."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.dataset.images import ENDING
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.workflows.embed.settings import EmbedSettings


@dataclass(frozen=True)
class EmbedRequest:
    """One table of features to make, also of the encoder in a folder that `pretrain` made."""

    settings: EmbedSettings
    data: Path
    out: Path
    encoder: Path | None = None
    mask: str | None = None
    cache: Path | None = None
    jobs: int = 1
    force: bool = False
    executor: Executor | None = None

    @property
    def prepared(self) -> Path:
        """Folder of prepared scans, and of the rows that are done."""
        return self.cache or self.out.parent / "prepared"

    @property
    def where(self) -> Executor:
        """Where scans are worked on."""
        return self.executor or Processes(self.jobs)

    @property
    def is_of_images(self) -> bool:
        """Whether images in one .npz file are asked about, not scans."""
        return self.data.suffix == ENDING
