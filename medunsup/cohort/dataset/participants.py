"""What a data set says of its people, in participants.tsv: who is healthy, and from which site each comes."""

import json
import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from medunsup.cohort.dataset.health import HealthyWords, Meaning, State, is_nothing, meanings
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.io.bids.names import is_data_set
from medunsup.io.files.tsv import Table, read_tsv

TABLE = "participants.tsv"
SESSIONS = "sessions"
ID_COLUMNS = ("participantid", "participant", "subjectid", "subject", "sub", "id")

NO_PART_OF_A_LABEL = re.compile(r"^sub|[^a-z0-9]")

log = logging.getLogger(__name__)

Row = dict[str, str]


@dataclass(frozen=True)
class Person:
    """What a data set says of a subject: healthy or not, by which word or for want of which, and the site."""

    state: State = "given"
    group: str = ""
    evidence: str = ""
    site: str = ""


def people(folder: Path, subjects: Iterable[str], healthy: HealthyWords | None = None) -> dict[str, Person]:
    """Read of each subject (`sub-01`) what the data set in `folder` says; "given" where it has no say at all.

    Of a table with a column that tells patients from healthy people, a subject without a row or a word is
    unknown. `healthy` names column and words where they are not known.

    Raises UsageError if the table cannot be read, tells nothing that is understood, or matches nobody.
    """
    path, asked = _table_of(folder), sorted(set(subjects))
    visits = _visits(path.parent if path else folder, asked)
    if path is None and not visits:
        if healthy is not None:
            raise UsageError(f"{folder}: holds no {TABLE} that {option('healthy')} could name a column of.")
        return dict.fromkeys(asked, Person())
    table = read_tsv(path) if path else Table([], [])
    names, rows = table.names, table.rows
    path = path or next(iter(_tables(folder, visits).values()))
    every = [*rows, *(row for of_subject in visits.values() for row in of_subject)]
    columns = {
        name: [row[name] for row in every if name in row] for name in dict.fromkeys(chain(*every, names))
    }
    levels = {**_levels(path.with_name(f"{SESSIONS}.json")), **_levels(path.with_suffix(".json"))}
    where = f"{path} and {len(visits)} tables of sessions" if visits and path.name == TABLE else str(path)
    told_by = meanings(columns, healthy, where, levels)
    if not told_by:
        log.warning(
            "%s: no column is known to tell patients from healthy people, of %s. If one does, name it: %s.",
            where,
            ", ".join(columns),
            option("healthy", "COLUMN=WORDS"),
        )
    id_column = next((name for name in names if _is_id(name)), names[0] if names else "")
    found = _matched(asked, rows, id_column)
    if told_by and not (found or visits):
        if path.parent != folder and healthy is None:  # the table of other people
            return dict.fromkeys(asked, Person())
        raise UsageError(
            f"{path}: none of the {len(asked)} subjects stands in it: the scans are of {_few(asked)}, its "
            f"column {id_column} names {_few(columns[id_column])}. Correct that column."
        )
    site = next((name for name in names if name.casefold() == "site"), "")
    return {
        subject: _person([*found.get(subject, ()), *visits.get(subject, ())], told_by, site)
        for subject in asked
    }


def _visits(root: Path, subjects: Sequence[str]) -> dict[str, list[Row]]:
    """Read what a data set says of each subject's sessions, in sub-01/sub-01_sessions.tsv."""
    return {
        subject: read_tsv(table).rows for subject, table in _tables(root, subjects).items() if table.is_file()
    }


def _tables(root: Path, subjects: Iterable[str]) -> dict[str, Path]:
    return {subject: root / subject / f"{subject}_{SESSIONS}.tsv" for subject in subjects}


def _is_id(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.casefold()) in ID_COLUMNS


def _table_of(folder: Path) -> Path | None:
    """Find the table of a folder, or of the data set it lies in, such as that of a derivative."""
    own = folder / TABLE
    if own.is_file() or own.is_symlink():
        return own
    roots = (each for each in folder.absolute().parents if is_data_set(each))
    return next((root / TABLE for root in roots if (root / TABLE).exists()), None)


def _levels(path: Path) -> dict[str, dict[str, str]]:
    """Read what the data set says its codes mean, by column; nothing if it does not say."""
    try:
        described = json.loads(path.read_text(encoding="utf-8-sig"))
        return {
            name: {str(code): _text(meant) for code, meant in column["Levels"].items()}
            for name, column in described.items()
            if isinstance(column, dict) and isinstance(column.get("Levels"), dict)
        }
    except (OSError, ValueError, AttributeError):
        return {}


def _text(meant: Any) -> str:
    return str(meant.get("Description", "") if isinstance(meant, dict) else meant)


def _matched(subjects: Sequence[str], rows: Sequence[Row], id_column: str) -> dict[str, list[Row]]:
    """Find the rows of each subject: by the same label, else in any case, else by what is left in `_bare`.

    The looser ways count only where one label of the table and one subject fit each other.
    """
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if _label(row[id_column]):
            by_label[_label(row[id_column])].append(row)
    named = {_label(subject): subject for subject in subjects}
    found: dict[str, list[Row]] = {}
    for form in (str, str.casefold, _bare):
        ours, theirs = _by_form(named, form), _by_form(by_label, form)
        for key in ours.keys() & theirs.keys():
            if len(ours[key]) == len(theirs[key]) == 1:
                found.setdefault(named[ours[key][0]], by_label[theirs[key][0]])
    return found


def _by_form(labels: Iterable[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        found[form(label)].append(label)
    return found


def _label(subject: str) -> str:
    """Return a subject's label without `sub-`, however that is written."""
    text = re.sub(r"^(\d+)\.0+$", r"\1", subject.strip())  # a spreadsheet's 1.0
    return text[4:] if text[:4].casefold() == "sub-" else text


def _bare(label: str) -> str:
    """Return a label in small letters, without leading zeros and what BIDS labels cannot hold (s_01: s01)."""
    return NO_PART_OF_A_LABEL.sub("", label.casefold()).lstrip("0")


def _person(rows: Sequence[Row], told_by: Sequence[Meaning], site: str) -> Person:
    """Say what a subject's rows come to: one word that is not healthy outweighs all others."""
    where = next((row[site].strip() for row in rows if not is_nothing(row.get(site, ""))), "")
    if not told_by:
        return Person(site=where)
    if not rows:
        return Person("unknown", evidence=f"no row in {TABLE}")
    said = [
        (each.state(row[each.column]), each.column, row[each.column].strip())
        for each in told_by
        for row in rows
        if each.column in row
    ]
    for state in ("patient", "healthy", "unknown"):
        for found, column, word in said:
            if found == state:
                return Person(state, word, f"{column} {word or 'n/a'}", where)
    return Person("unknown", evidence=f"no {told_by[0].column}", site=where)


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
