"""The files that all results of one output folder share."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from medunsup.core.errors import OutputError, ResultThereError
from medunsup.core.hints import option
from medunsup.core.provenance import generated_by
from medunsup.io.bids.names import OutputNames, dataset_root, link_to
from medunsup.io.bids.outputs import Derivative, Output
from medunsup.io.files.atomic import write_json, write_text

BIDS_VERSION = "1.10.0"


def check_root(root: Path) -> None:
    """Raise OutputError if the folder is a data set that something else made, such as the raw one."""
    path = root / "dataset_description.json"
    if path.exists() and "medunsup" not in _makers(path):
        raise OutputError(
            f"{root}: holds a data set that medunsup did not make. "
            f"Choose another folder, such as {option('out', root / 'derivatives' / 'medunsup')}."
        )


def refuse_overwrite(
    names: OutputNames, outputs: Sequence[Output], labels: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Raise ResultThereError if a file of one scan's result, or a map's sidecar, is there already."""
    there = next((path for path in names.files(outputs, labels) if path.exists()), None)
    if there:
        raise ResultThereError(
            f"{there}: exists already. Pass {option('force', True)} to replace it, "
            f"or choose another folder with {option('out')}."
        )


def write_root(names: OutputNames, scan: Path, derivative: Derivative) -> None:
    """Describe the folder as a BIDS derivative data set, once."""
    if names.root is None or not names.is_bids:
        return
    check_root(names.root)
    description = names.root / "dataset_description.json"
    if not description.exists():
        write_json(description, _description(names.root, scan, derivative.title))
    if not any(names.root.glob("README*")):
        write_text(names.root / "README.md", derivative.readme)
    ignored = names.root / ".bidsignore"
    there = ignored.read_text(encoding="utf-8").splitlines() if ignored.exists() else []
    missing = [line for line in derivative.ignored if line not in there]
    if missing:
        write_text(ignored, "\n".join([*there, *missing]) + "\n")


def _description(root: Path, scan: Path, title: str) -> dict[str, Any]:
    raw = dataset_root(scan)
    link = link_to(raw, root) if raw is not None else None
    return {
        "Name": title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [generated_by()],
        **({"DatasetLinks": {"raw": link}, "SourceDatasets": [{"URL": link}]} if link else {}),
    }


def _makers(path: Path) -> list[str]:
    try:
        made_by = json.loads(path.read_text(encoding="utf-8")).get("GeneratedBy", [])
        return [str(maker.get("Name")) for maker in made_by]
    except (OSError, ValueError, AttributeError):
        return []
