"""What all results of one folder say together: one table of volumes, one page."""

import json
import logging
from pathlib import Path
from typing import Any

from medunsup.core.errors import MedunsupError, OutputError
from medunsup.io.atomic import write_text
from medunsup.run.tables import tsv

TABLE = "volumes.tsv"
NEEDED = {"Medunsup", "Volumes", "IntracranialMM3", "Quality"}

log = logging.getLogger(__name__)


def write_group(root: Path, *, page: bool = True) -> Path | None:
    """Write the table of all scans in `root`, and from two scans on the page that compares them.

    Returns the page, or None if there is none. A defect in the page is logged and costs the page alone.

    Raises OutputError if the table's place is taken or cannot be written.
    """
    sidecars = [made for path in sorted(root.rglob("*_dseg.json")) if (made := _read(path, root))]
    if not sidecars:
        return None
    check_table(root)
    write_text(root / TABLE, _table(sidecars))
    return _write_page(root) if len(sidecars) > 1 and page else None


def check_table(root: Path) -> None:
    """Raise OutputError if a table of that name is there that is not ours."""
    path = root / TABLE
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith("scan\t"):
        raise OutputError(
            f"{path}: is there already and not ours. Move it, or choose another folder with -o."
        )


def _write_page(root: Path) -> Path | None:
    from medunsup.report.group import write_group as write_page

    try:
        return write_page(root)
    except (MedunsupError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - drawing fails in ways nobody can list
        log.error("%s: the page of all scans could not be made (%s: %s).", root, type(error).__name__, error)
        return None


def _table(sidecars: list[dict[str, Any]]) -> str:
    tissues = list(dict.fromkeys(name for made in sidecars for name in made["Volumes"]))
    rows = [["scan", *(f"{name}_mm3" for name in tissues), "intracranial_mm3", "verdict"]]
    for made in sidecars:
        scan = next(item["Name"] for item in made["Medunsup"]["Inputs"] if item["Role"] == "scan")
        volumes = [str(made["Volumes"].get(name, {}).get("FromFractionsMM3", "n/a")) for name in tissues]
        rows.append([scan, *volumes, str(made["IntracranialMM3"]), made["Quality"]["Verdict"]])
    return tsv(rows)


def _read(path: Path, root: Path) -> dict[str, Any] | None:
    if any(part.startswith(".") for part in path.relative_to(root).parts):
        return None  # what a killed run left
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return made if isinstance(made, dict) and made.keys() >= NEEDED else None
