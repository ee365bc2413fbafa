"""One scan that something is asked of: its files, how it is read, where the results go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medunsup.cohort.identity import InputFile
from medunsup.cohort.patterns import placeholders
from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import UsageError
from medunsup.io.bids.names import OutputNames, output_names
from medunsup.io.files.fetched import how_to_fetch
from medunsup.io.files.hashes import hash_input


@dataclass(frozen=True)
class ScanRequest:
    """One scan, as all verbs ask for it. `contrasts` are further scans of the same head by contrast.

    `subfolder` of `out` takes the results of a scan whose name others have too.
    """

    path: Path
    reading: ReadSettings = field(default_factory=ReadSettings)
    mask: Path | None = None
    contrasts: Mapping[str, Path] = field(default_factory=dict)
    out: Path | None = None
    subfolder: str = ""

    @property
    def names(self) -> OutputNames:
        """Where the results go."""
        return output_names(self.path, self.out, self.subfolder)

    def inputs(self) -> tuple[InputFile, ...]:
        """Hash every input. Raises InputError if one is missing."""
        files = {"scan": self.path, **self.contrasts}
        files |= {"mask": self.mask} if self.mask else {}
        return tuple(InputFile(role, path.name, hash_input(path)) for role, path in files.items())

    def missing(self) -> str:
        """Say which input is not there and what may be wrong with its name; nothing if all are there."""
        if not self.path.exists():
            return _why_lost(self.path)
        beside = {**({"mask": self.mask} if self.mask else {}), **self.contrasts}
        lost = next((f"its {role} {path}" for role, path in beside.items() if not path.exists()), "")
        if not lost:
            return ""
        unfetched = next((path for path in beside.values() if how_to_fetch(path)), None)
        if unfetched is not None:
            return _why_lost(unfetched)
        known = ", ".join(f"{{{name}}} is {value!r}" for name, value in placeholders(self.path).items())
        return f"{self.path}: {lost} is not there. Check the path. In a pattern, for this scan, {known}."


def check_there(requests: Sequence[ScanRequest]) -> None:
    """Raise UsageError if no scan can be begun for want of a file; if some can, the rest fail one by one."""
    missing = [why for request in requests if (why := request.missing())]
    if missing and len(missing) == len(requests):
        more = f" (The same goes for {len(missing) - 1} more.)" if len(missing) > 1 else ""
        raise UsageError(missing[0] + more)


def _why_lost(path: Path) -> str:
    command = how_to_fetch(path)
    if command:
        return f"{path}: its content has not been fetched. {command}"
    return f"{path}: there is no such file or folder. Check the path."
