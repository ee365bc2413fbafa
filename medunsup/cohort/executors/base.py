"""What every executor does: it works through items with one task, here or elsewhere."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Task = Callable[[Any, Callable[[str], None]], Any]
Told = Callable[[int, str], None]


@dataclass(frozen=True)
class Work:
    """What is to be done: `task(item, say)` for each item; what it says is told by the item's place.

    The task must be importable by name. `labels` name the items for people, and `folder`, which all who work
    must see, takes what an executor has to write; None if results go to no common folder.
    """

    task: Task
    items: Sequence[Any]
    labels: Sequence[str]
    folder: Path | None = None


@dataclass(frozen=True)
class Lost:
    """Stands for the result of an item whose worker ended before it gave one; `why` holds the remedy."""

    why: str


class Executor(Protocol):
    """Where scans are worked on. Each item is begun once, and one whose worker ends costs no other."""

    name: str

    def prepare(self, roots: Sequence[Path]) -> None:
        """See that it can be used for results in `roots`, and wait for what an ended run left at work there.

        Called when the roots are locked, before anything is planned. Raises MedunsupError with the remedy.
        """

    def run(self, work: Work, told: Told) -> Generator[tuple[int, Any]]:
        """Yield (index, result) as each item is done, or `Lost` in a result's place.

        Closing the iterator ends what is at work.
        """

    def script(self, folder: Path, n_items: int) -> str:
        """Return what would be given to a cluster for so many items with results in `folder`, if anything."""
