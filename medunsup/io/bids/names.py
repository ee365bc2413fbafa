"""Names after the BIDS standard: what a file name says, and how results are called."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from medunsup.io.bids.outputs import Output, each_of

IMAGE_ENDINGS = (".nii.gz", ".nii", ".mgz", ".mgh")
PACKED_HALVES = (".hdr.gz", ".img.gz")
Contrast = Literal["T1w", "T2w", "FLAIR", "PD"]
SUFFIXES: dict[str, Contrast] = {
    "t1w": "T1w",
    "unit1": "T1w",
    "t2w": "T2w",
    "flair": "FLAIR",
    "pdw": "PD",
    "pd": "PD",
}
WORDS: dict[str, Contrast] = {  # not MP2RAGE: so are called its raw inversions, and their phase
    **SUFFIXES,
    **dict.fromkeys(("t1", "t1n", "mprage", "spgr", "bravo"), "T1w"),
    "t2": "T2w",
    "t2f": "FLAIR",
    "t2flair": "FLAIR",
}
OTHER_WORDS = {"map", "maps", "mapping", "star", "stir", "adc", "dwi", "swi"}  # a T1 map, T2 star, ...
DARK_FLUID = re.compile(r"dark[^a-z0-9]?fluid")  # another name of FLAIR
ONTO = {"to", "2", "on", "in"}  # one scan registered to another
CONTRAST_AGENT = {"c", "ce", "gd", "gad", "gadolinium", "post", "postcontrast"}
AGENT_WITH_T1 = re.compile(r"t1w?(?:c|ce|gd|gad|km|post|postcontrast)")
BIDS_NAME = re.compile(r"(?P<entities>sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9+]+)*)_(?P<suffix>[A-Za-z0-9]+)")
DOI_DRESS = re.compile(r"^(?:doi:|https?://(?:dx\.)?doi\.org/)|\.v\d+(?:\.\d+)*$", re.IGNORECASE)
SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
OURS = re.compile(r"_(?:label|desc)-[A-Za-z0-9+]+")  # entities our own names set: a name may hold each once
# How names call what is not the magnitude: BIDS with part-, dcm2niix with the last word.
NOT_MAGNITUDE = {
    "phase": "phase",
    "ph": "phase",
    "real": "real",
    "imaginary": "imaginary",
    "imag": "imaginary",
}
NOT_MAGNITUDE_IN_NAME = re.compile(
    rf"(?:^|_)part-({'|'.join(NOT_MAGNITUDE)})(?:_|$)|[^a-z0-9]({'|'.join(NOT_MAGNITUDE)})$", re.IGNORECASE
)
LOCK = "medunsup.lock"


@dataclass(frozen=True)
class OutputNames:
    """Where the results of one scan go.

    `folder` takes the maps and `stem` begins every name. `root` takes the tables that all scans of a run
    share; it is None for results beside their scan. `suffix` is the scan's BIDS suffix, None outside BIDS.
    """

    folder: Path
    stem: str
    root: Path | None = None
    suffix: str | None = None

    @property
    def is_bids(self) -> bool:
        """Whether the names follow BIDS."""
        return self.suffix is not None

    @property
    def lock(self) -> Path:
        """The file that keeps a second run out: of the whole root, or of this scan's results."""
        return self.folder / f".{self.stem}.{LOCK}" if self.root is None else self.root / f".{LOCK}"

    def path(self, output: Output, label: str = "") -> Path:
        """File of one kind; `label` tells those apart of which a scan has several."""
        if output.is_shared:
            return (self.root or self.folder) / output.name
        return self.folder / f"{self.stem}_{output.ending(label, self.suffix)}"

    def paths(
        self, outputs: Sequence[Output], labels: Mapping[str, Sequence[str]] | None = None
    ) -> dict[str, Path]:
        """Files of one scan by kind, "probseg_GM" where a kind has labels; shared ones are left out.

        `labels` holds the labels of a kind by its key.
        """
        each = each_of(outputs, labels or {})
        return {output.kind(label): self.path(output, label) for output, label in each}

    def files(
        self, outputs: Sequence[Output], labels: Mapping[str, Sequence[str]] | None = None
    ) -> list[Path]:
        """List what `paths` names, and the sidecars of the maps among them."""
        maps = [output for output in outputs if output.is_map]
        sidecars = map(sidecar_path, self.paths(maps, labels).values())
        return [*self.paths(outputs, labels).values(), *sidecars]


def sidecar_path(path: Path) -> Path:
    """Name the JSON file that describes a map."""
    return path.with_name(stem(path) + ".json")


def stem(path: Path) -> str:
    """File name without its image ending; a folder's own name."""
    for ending in (*IMAGE_ENDINGS, *PACKED_HALVES):
        if path.name.lower().endswith(ending):
            return path.name[: -len(ending)]
    return path.absolute().name if path.is_dir() else path.stem


def contrast_of_suffix(name: str) -> Contrast | None:
    """Read the contrast that the last part of a file name states, as in BIDS, or None."""
    return WORDS.get(stem(Path(name)).rsplit("_", 1)[-1].lower())


def not_magnitude(name: str) -> str:
    """Return "phase", "real" or "imaginary" if a name says that an image is so, else nothing."""
    found = NOT_MAGNITUDE_IN_NAME.search(stem(Path(name)))
    return NOT_MAGNITUDE[(found[1] or found[2]).lower()] if found else ""


def contrast_of_name(name: str) -> Contrast | None:
    """Read the contrast that the words of a file name state; None for none, or T1 with a contrast agent.

    A BIDS suffix at the end decides among several, but not in "T1_FLAIR", which is T1-weighted or the FLAIR
    of a first time point. In a name after BIDS no other word counts.
    """
    whole = stem(Path(name))
    words = re.split(r"[^a-z0-9]+", DARK_FLUID.sub("flair", whole.lower()))
    told = {WORDS[word] for word in words if word in WORDS and word != "pd"}  # Parkinson's disease, often
    suffix = SUFFIXES.get(whole.lower().rsplit("_", 1)[-1])
    if BIDS_NAME.fullmatch(whole) or (suffix and not (suffix == "FLAIR" and "T1w" in told)):
        return contrast_of_suffix(name)
    if told == {"T2w", "FLAIR"} and not ONTO.intersection(words):  # "T2 FLAIR" is FLAIR's full name
        told = {"FLAIR"}
    is_fat_dark = "tirm" in words and told != {"FLAIR"}
    if len(told) != 1 or is_fat_dark or OTHER_WORDS.intersection(words):
        return None
    return None if told == {"T1w"} and CONTRAST_AGENT.intersection(words) else told.pop()


def names_contrast_agent(name: str) -> bool:
    """Whether a file name tells of a contrast agent: `ce-` in BIDS, else words such as T1Gd or post."""
    whole = stem(Path(name))
    if found := BIDS_NAME.fullmatch(whole):
        return re.search(r"_ce-(?!no|pre)", found["entities"].lower()) is not None
    words = re.split(r"[^a-z0-9]+", whole.lower())
    after_t1 = {word for before, word in pairwise(words) if WORDS.get(before) == "T1w"}
    return (
        any(AGENT_WITH_T1.fullmatch(word) for word in words)
        or not CONTRAST_AGENT.isdisjoint(after_t1)
        or not (CONTRAST_AGENT - {"c", "post"}).isdisjoint(words)
    )


def contrast_of_word(word: Any) -> Any:
    """Return the contrast that a user names with a word such as T1 or flair; any other word as it is."""
    return WORDS.get(str(word).lower(), word)


def output_names(scan: Path, out: Path | None, subfolder: str = "") -> OutputNames:
    """Name the results of one scan: the one rule for where they go.

    With `out` they go there: into BIDS folders if the scan's name follows BIDS, else flat or into
    `subfolder`. Without it those of a scan that is named after BIDS and lies in a BIDS data set go to the
    set's derivatives/medunsup, all others beside the scan. Of a BIDS name `desc` and `label` are left out,
    since the results have their own.
    """
    found = BIDS_NAME.fullmatch(stem(scan))
    raw = dataset_root(scan)
    if out is None and (found is None or raw is None):
        return OutputNames(scan.parent, stem(scan))
    if found is None:
        return OutputNames((out or scan.parent) / subfolder, stem(scan), root=out)
    root = out if out is not None or raw is None else raw / "derivatives" / "medunsup"
    entities = OURS.sub("", found["entities"])
    return OutputNames(Path(root or "") / _bids_folder(entities), entities, root, found["suffix"])


def is_data_set(folder: Path) -> bool:
    """Whether a folder is the root of a BIDS data set, be its description fetched or not."""
    description = folder / "dataset_description.json"
    return description.is_file() or description.is_symlink()


def dataset_root(scan: Path) -> Path | None:
    """Find the BIDS data set a scan lies in: the nearest folder above with a dataset_description.json."""
    for parent in scan.absolute().parents:
        if is_data_set(parent):
            return parent
    return None


def data_set_id(scan: Path) -> str:
    """Return a hash of the name and DOI of the outermost BIDS data set a scan lies in; empty if it has none.

    All versions of a data set have one hash. A derivative on its own is named after the program that made it,
    which tells nothing of its people.
    """
    for parent in reversed(scan.absolute().parents):
        try:
            about = json.loads((parent / "dataset_description.json").read_text(encoding="utf-8-sig"))
            if about.get("DatasetType") == "derivative" or not str(about.get("Name") or "").strip():
                return ""
            doi = DOI_DRESS.sub("", str(about.get("DatasetDOI") or "").strip())
            named = f"{about['Name']}\n{doi}".casefold()
            return sha256(named.encode()).hexdigest()[:16]
        except (OSError, ValueError, AttributeError):
            continue
    return ""


def source_uri(scan: Path, out: Path | None) -> str:
    """Name a scan for a sidecar: a BIDS URI if its data set can be linked to, else its file name."""
    raw = dataset_root(scan)
    if raw is None or out is None or link_to(raw, out) is None:
        return scan.name
    return f"bids:raw:{scan.absolute().relative_to(raw).as_posix()}"


def link_to(raw: Path, out: Path) -> str | None:
    """Relative path from the results to the raw data set, or None if it would tell more than its name."""
    relative = Path(os.path.relpath(raw.absolute(), out.absolute()))
    named = [part for part in relative.parts if part != ".."]
    return relative.as_posix() if len(named) <= 1 else None


def _bids_folder(entities: str) -> Path:
    parts = entities.split("_")
    session = next((part for part in parts if part.startswith("ses-")), "")
    return Path(parts[0]) / session / "anat"
