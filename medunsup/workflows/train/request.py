"""One model to train: from which scans, into which folder."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.executors.base import Executor
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.training.folder import How
from medunsup.core.errors import UsageError
from medunsup.workflows.train.settings import TrainSettings


@dataclass(frozen=True)
class TrainRequest:
    """One model to train: from which scans, into which folder.

    `mask` is a pattern for brain masks, `cache` keeps prepared scans, `card` describes the data set,
    `healthy` says which words of which column mean healthy where they are not known. `encoder` is a folder
    that `pretrain` made, for a model that learns from its features.
    """

    settings: TrainSettings
    data: Path
    out: Path
    mask: str | None = None
    cache: Path | None = None
    card: Path | None = None
    jobs: int = 1
    resume: bool = False
    force: bool = False
    healthy: HealthyWords | None = None
    encoder: Path | None = None
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

    def data_card(self) -> str | None:
        """Read the data card, if one is given. Raises UsageError if it cannot be read as text."""
        path = self.card
        try:
            return path.read_text(encoding="utf-8") if path else None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise UsageError(
                f"{path}: cannot be read as a data card ({why}). Give a Markdown file."
            ) from error
