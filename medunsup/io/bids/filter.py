"""Which files of a BIDS data set are meant, by the entities of their names: sessions and filter files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medunsup.core.errors import UsageError
from medunsup.io.bids.names import SUFFIXES, stem

# As filter files name them (PyBIDS's words), and as they stand in a file's name.
ENTITIES = {
    "subject": "sub",
    "session": "ses",
    "acquisition": "acq",
    "ceagent": "ce",
    "reconstruction": "rec",
    "direction": "dir",
    "run": "run",
    "echo": "echo",
    "flip": "flip",
    "inv": "inv",
    "mt": "mt",
    "part": "part",
    "processing": "proc",
    "space": "space",
    "resolution": "res",
    "description": "desc",
    "sample": "sample",
    "task": "task",
    "chunk": "chunk",
    "suffix": "suffix",
    "extension": "extension",
    "datatype": "datatype",
}
ANY = "*"
FORM = 'Give a JSON file such as {"t1w": {"session": "02"}}.'


@dataclass(frozen=True)
class BidsFilter:
    """What the entities of a name must be: one of several values, anything ("*"), or not there (None)."""

    wanted: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)

    def takes(self, path: Path) -> bool:
        """Whether a file's name fulfils all of it."""
        has = entities_of(path)
        return all(any(_fits(has.get(key), one) for one in values) for key, values in self.wanted.items())

    def __str__(self) -> str:
        return ", ".join(
            f"{key} {' or '.join('none' if one is None else one for one in values)}"
            for key, values in self.wanted.items()
        )


def session_filter(labels: Sequence[str]) -> BidsFilter:
    """Take the sessions named, with "ses-" before the label or without."""
    named = tuple(label.removeprefix("ses-") for label in labels)
    return BidsFilter({"ses": named} if named else {})


def read_filter(path: Path, contrast: str) -> BidsFilter:
    """Read what a filter file in fMRIPrep's form asks of one contrast: {"t1w": {"session": "02"}}.

    A value is a text, a number, a list of these, null for an entity that is not there, or "*" for any.

    Raises UsageError if it is no such file, or names a contrast or entity that is not known.
    """
    sections = _read(path)
    own = [of for name, of in sections.items() if SUFFIXES.get(name.lower()) == contrast]
    if not own:
        raise UsageError(
            f"{path}: says nothing of {contrast}; it has {', '.join(sections) or 'no entry'}. Add an entry "
            f'"{contrast.lower()}", or leave the file out.'
        )
    return BidsFilter({_entity(key, path): _values(value) for one in own for key, value in one.items()})


def entities_of(path: Path) -> dict[str, str]:
    """Split a file's name after BIDS: sub-01_acq-fast_T1w.nii.gz is {"sub": "01", "acq": "fast", ...}."""
    *pairs, suffix = stem(path).split("_")
    found = dict(pair.split("-", 1) for pair in pairs if "-" in pair)
    ending = path.name[len(stem(path)) :]
    return {**found, "suffix": suffix, "extension": ending, "datatype": path.parent.name}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        sections = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no JSON: {error}"
        raise UsageError(f"{path}: cannot be read as a filter file ({why}). {FORM}") from error
    if not isinstance(sections, dict) or not all(isinstance(one, dict) for one in sections.values()):
        raise UsageError(f"{path}: is no filter file. {FORM}")
    return sections


def _entity(key: str, path: Path) -> str:
    if key in ENTITIES.values():
        return key
    if key not in ENTITIES:
        raise UsageError(f"{path}: unknown entity {key!r}. Known: {', '.join(ENTITIES)}.")
    return ENTITIES[key]


def _values(value: Any) -> tuple[str | None, ...]:
    each = value if isinstance(value, list) else [value]
    return tuple(None if one is None else str(one) for one in each)


def _fits(has: str | None, wanted: str | None) -> bool:
    """Compare a name's entity with what is wanted; numbers such as run 1 and run-01 are the same."""
    if wanted is None or has is None:
        return has is wanted
    if wanted == ANY or has == wanted:
        return True
    return has.isdigit() and wanted.isdigit() and int(has) == int(wanted)
