"""What each task of `finetune` does in its own way: find scans, test networks, say what was found."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.core.progress import Told
from medunsup.workflows.finetune.compared import ShareFigures
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.shares import Share

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


@dataclass(frozen=True)
class Outcome:
    """What goes into the folder: figures by share, files by name, facts for finetune.json, the page."""

    verdict: str
    shares: Sequence[ShareFigures]
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any]
    remarks: Sequence[str]
    page: Callable[[FinetuneManifest], str]


class TaskRun(ABC):
    """One task on the scans that were found for it; `hashes` tell whether a run goes on with the same."""

    hashes: Sequence[str]

    def __init__(self, request: FinetuneRequest, pretrained: Pretrained) -> None:
        self.request, self.pretrained = request, pretrained

    @abstractmethod
    def read(self, work: Path, told: Told) -> "Scans":
        """Prepare all scans and return those to learn from; large arrays go into `work`.

        Raises InputError or GeometryError for what cannot be used, or was seen by the encoder.
        """

    @property
    @abstractmethod
    def n_classes(self) -> int:
        """How many classes there are, once scans were read."""

    @abstractmethod
    def test(self, made: Any, told: Told, *, kept: bool) -> Any:
        """Test networks, and return what they came to in plain values.

        Of those that are `kept` all is written or held that folder and page show.
        """

    @abstractmethod
    def outcome(self, made: Any, shares: Sequence[tuple[Share, Sequence[Any]]]) -> Outcome:
        """Say what all draws came to, shares of the labels from the largest to the smallest.

        `made` are the networks that are kept, of the first draw of the first.
        """
