"""The files that all results of one output folder share."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medunsup.core.errors import OutputError
from medunsup.core.provenance import generated_by
from medunsup.io.bids.names import OutputNames, dataset_root, link_to
from medunsup.io.files.atomic import write_json, write_text

BIDS_VERSION = "1.10.0"
NOT_IN_BIDS = (
    "*_statmap.nii.gz",
    "*_statmap.json",
    "*_volumes.tsv",
    "*_findings.tsv",
    "*_report.html",
    "*_dseg_freesurfer.txt",
    "*_dseg_fsleyes.lut",
    "*_dseg_itksnap.label",
    "*_dseg_slicer.ctbl",
    "colours",
    "prior",
    "volumes.tsv",
    "anomalies.tsv",
    "anomaly_group.html",
)

README = """# Brain tissue segmentation by medunsup

In each subject's `anat` folder, in the scan's own space:

- `_dseg`: the most probable tissue of each voxel (GM 1, WM 2, CSF 3; see `dseg.tsv`)
- `_label-GM_probseg`, `_label-WM_probseg`, `_label-CSF_probseg`: partial volume fractions, 0 to 1
- `_desc-brain_mask`: the region the tissues were fitted in
- `_desc-biascorrected`: the scan divided by its estimated bias field
- `_desc-uncertainty_statmap`: normalised entropy, 0 certain to 1 a guess
- `_volumes.tsv`: volumes in cubic millimetres, from fractions and from labels
- `_report.html`: the page to look at first

`volumes.tsv` holds the volumes of all scans, `colours/` the colour tables for FreeSurfer, FSLeyes, ITK-SNAP
and 3D Slicer. The sidecar `_dseg.json` tells how each result was made; where it is missing, the result is
not complete. Not for diagnosis.
"""

DETECT_README = """# Anomalies found by medunsup

In each subject's `anat` folder, in the scan's own space:

- `_desc-anomaly_statmap`: the raw score, higher is less like healthy scans
- `_desc-anomalysurprise_statmap`: -log10 of the share of healthy voxels that score as much or more
- `_desc-anomaly_mask`: where the raw score exceeds the threshold that healthy scans set
- `_desc-anomaly_findings.tsv`: the parts of the mask, with volume, place and score
- `_desc-healthylook`: the scan as the model expects it in a healthy person
- `_desc-anomaly_report.html`: the page to look at first

Maps named after a cheap method (`_desc-asymmetry_statmap` and so on) are there to compare with. The sidecar
`_desc-anomaly_mask.json` tells how each result was made, with the scan's p-value and what sets the scan apart
from those the model knows; where it is missing, the result is not complete.

`anomalies.tsv` and `anomaly_group.html` compare all scans, from two on. Not for diagnosis.
"""


def check_root(root: Path) -> None:
    """Raise OutputError if the folder is a data set that something else made, such as the raw one."""
    path = root / "dataset_description.json"
    if path.exists() and "medunsup" not in _makers(path):
        raise OutputError(
            f"{root}: holds a data set that medunsup did not make. "
            f"Choose another folder, such as -o {root / 'derivatives' / 'medunsup'}."
        )


@dataclass(frozen=True)
class Words:
    """What a folder of results is called, and the README that tells what lies in it."""

    title: str
    readme: str


SEGMENTATION = Words("medunsup: brain tissue segmentation", README)
DETECTION = Words("medunsup: anomalies", DETECT_README)


def write_root(names: OutputNames, scan: Path, words: Words = SEGMENTATION) -> None:
    """Describe the folder as a BIDS derivative data set, once."""
    if names.root is None or not names.is_bids:
        return
    check_root(names.root)
    description = names.root / "dataset_description.json"
    if not description.exists():
        write_json(description, _description(names.root, scan, words.title))
    if not any(names.root.glob("README*")):
        write_text(names.root / "README.md", words.readme)
    ignored = names.root / ".bidsignore"
    there = ignored.read_text(encoding="utf-8").splitlines() if ignored.exists() else []
    missing = [line for line in NOT_IN_BIDS if line not in there]
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
