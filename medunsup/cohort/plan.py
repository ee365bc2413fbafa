"""What is there of many scans before any is begun; what was made otherwise is not replaced unasked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from medunsup.cohort.batch import naming
from medunsup.cohort.identity import Status
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import InputError, UsageError, is_wrong_use
from medunsup.core.hints import option
from medunsup.io.bids.derivatives import refuse_overwrite
from medunsup.io.bids.names import OutputNames
from medunsup.io.bids.outputs import Derivative


class Asked(Protocol):
    """A scan and what is asked for."""

    @property
    def scan(self) -> ScanRequest:
        """The scan and how it is read."""

    @property
    def names(self) -> OutputNames:
        """Where the results go."""

    def missing(self) -> str:
        """Say which input is not there; nothing if all are there."""

    def status(self) -> tuple[Status, str]:
        """Whether the result is not there, there, or there but made otherwise; and what differs."""


AnyAsked = TypeVar("AnyAsked", bound=Asked)


@dataclass(frozen=True)
class Planned(Generic[AnyAsked]):
    """One scan of the plan: whether its result is there; `why` it was made otherwise, or cannot be made.

    `is_wrong_use`: what was asked cannot be had of this scan.
    """

    request: AnyAsked
    status: Status
    why: str = ""
    is_wrong_use: bool = False


def look(
    requests: Sequence[AnyAsked],
    derivative: Derivative,
    *,
    force: bool,
    labels: Mapping[str, Sequence[str]] | None = None,
) -> list[Planned[AnyAsked]]:
    """Look what is there of each scan, of all that the verb leaves; `labels` are those of a kind by its key.

    Raises without `force` UsageError if a result is there that was made otherwise, and ResultThereError if
    there is none but a file of the name of one.
    """
    planned = [_look(request) for request in requests]
    others = [item for item in planned if item.status == "other"]
    if others and not force:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        raise UsageError(
            f"{others[0].request.names.path(derivative.record)}: is there already, {others[0].why}{more}. "
            f"Choose another folder with {option('out')}, or pass {option('force', True)} to replace it."
        )
    for item in planned:
        if item.status == "new" and not force:
            refuse_overwrite(item.request.names, derivative.outputs, labels)
    return planned


def _look(request: AnyAsked) -> Planned[AnyAsked]:
    if why := request.missing():
        return Planned(request, "missing", why)
    try:
        return Planned(request, *request.status())
    except InputError as error:  # it costs this scan alone; a result that is there stays
        why = naming(request.scan.path, str(error))
        return Planned(request, "error", why, is_wrong_use(error))
