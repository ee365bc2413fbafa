"""Tables whose cells tabs part, as BIDS has them: read in one way, written in one way."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.io.files.fetched import check_fetched

QUOTED = re.compile(r'^"(.*)"$')


@dataclass(frozen=True)
class Table:
    """The columns' names in their order, and each row's cells by them; a cell that is not there is empty."""

    names: list[str]
    rows: list[dict[str, str]]


def read_tsv(path: Path) -> Table:
    """Read a table: blank lines are left out, and blanks and quotes around a cell, as spreadsheets add them.

    Raises UsageError if it is no text in UTF-8 with tabs, names a column twice, or has a row with more cells
    than columns; InputError if it is not there or has not been fetched.
    """
    lines = [(number, _cells(line)) for number, line in enumerate(_text(path).split("\n"), start=1)]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    names = lines[0][1] if lines else [""]
    _check_names(names, path)
    return Table(names, [_row(cells, names, number, path) for number, cells in lines[1:]])


def tsv(rows: Iterable[Sequence[str]]) -> str:
    """Join cells with tabs and rows with line ends."""
    return "".join("\t".join(row) + "\n" for row in rows)


def _text(path: Path) -> str:
    check_fetched(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is no table. Save it as text (TSV) in UTF-8.") from error
    except FileNotFoundError as error:
        raise MissingError(f"{path}: there is no such file. Check the path.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error


def _cells(line: str) -> list[str]:
    return [QUOTED.sub(r"\1", cell.strip()) for cell in line.split("\t")]


def _check_names(names: Sequence[str], path: Path) -> None:
    if len(names) == 1 and re.search(r"[,; ]", names[0]):
        raise UsageError(f"{path}: no tabs part its columns ({names[0][:60]}). Save it with tabs (TSV).")
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise UsageError(f"{path}: has the column {twice!r} twice. Leave one of them out.")


def _row(cells: Sequence[str], names: Sequence[str], number: int, path: Path) -> dict[str, str]:
    if any(cells[len(names) :]):
        raise UsageError(
            f"{path}: line {number} has {len(cells)} cells, more than columns ({len(names)}). "
            "Give their column a name, or clear them."
        )
    filled = [*cells, *[""] * (len(names) - len(cells))]
    return dict(zip(names, filled, strict=False))
