"""What each task of `finetune` does in its own way: find scans, test networks, say what was found."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.finetuned.manifest import FinetuneManifest
from medunsup.core.progress import Told
from medunsup.report.finetune.page import Watched
from medunsup.workflows.finetune.compared import FINETUNED, ShareFigures
from medunsup.workflows.finetune.few_labels.given import hide
from medunsup.workflows.finetune.few_labels.words import compared_of
from medunsup.workflows.finetune.pretrained import Pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.shares import Places, Share, some_of

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans


@dataclass(frozen=True)
class Outcome:
    """What goes into the folder: figures by share, files by name, facts for finetune.json, the page.

    The page takes what finetune.json says, and drawings of what was watched.
    """

    verdict: str
    shares: Sequence[ShareFigures]
    files: Mapping[str, str | bytes]
    facts: Mapping[str, Any]
    remarks: Sequence[str]
    page: Callable[[FinetuneManifest, Sequence[Watched]], str]


class TaskRun(ABC):
    """One task on the scans that were found for it; `hashes` tell whether a run goes on with the same."""

    hashes: Sequence[str]

    def __init__(self, request: FinetuneRequest, pretrained: Pretrained) -> None:
        self.request, self.pretrained = request, pretrained
        self.compared = compared_of(request.settings)

    @abstractmethod
    def read(self, work: Path, told: Told) -> "Scans":
        """Prepare all scans and return those to learn from; large arrays go into `work`.

        Raises InputError or GeometryError for what cannot be used, or was seen by the encoder.
        """

    def take(self, scans: "Scans", places: Places) -> "Scans":
        """Return what is learned from of a draw: those that were drawn, or all with the labels of these."""
        is_few = self.request.settings.few_labels is not None
        return self.hide(scans, places) if is_few else some_of(scans, places)

    def hide(self, scans: "Scans", places: Places) -> "Scans":
        """Return all scans with the labels of a draw alone."""
        return hide(scans, places)

    def kept_arm(self, made: Any) -> str:
        """Name the network that is kept."""
        return FINETUNED if self.request.settings.few_labels is None else str(made.kept)

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
