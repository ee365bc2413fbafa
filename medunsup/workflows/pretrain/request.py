"""One encoder to pretrain: from which scans or images, into which folder."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.dataset.images import ENDING
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.training.folder import How
from medunsup.workflows.pretrain.settings import PretrainSettings


@dataclass(frozen=True)
class PretrainRequest:
    """One encoder to pretrain: from which scans or images, into which folder.

    `mask` is a pattern for brain masks, `cache` keeps prepared scans.
    """

    settings: PretrainSettings
    data: Path
    out: Path
    mask: str | None = None
    cache: Path | None = None
    jobs: int = 1
    resume: bool = False
    force: bool = False
    executor: Executor | None = None

    @property
    def how(self) -> How:
        """How to meet what is in the folder; going on wins over replacing."""
        return "resume" if self.resume else "force" if self.force else "plain"

    @property
    def prepared(self) -> Path:
        """Folder of prepared scans."""
        return self.cache or self.out.parent / "prepared"

    @property
    def where(self) -> Executor:
        """Where scans are worked on."""
        return self.executor or Processes(self.jobs)

    @property
    def is_of_images(self) -> bool:
        """Whether images in one .npz file are learned from, not scans."""
        return self.data.suffix == ENDING
