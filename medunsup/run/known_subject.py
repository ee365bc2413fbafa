"""Whether a model knows the person of a scan though not the file, by the names of subject and data set."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.io.bids import SUBJECT, WORDS, data_set_id
from medunsup.run.model_folder import ModelFolder
from medunsup.run.sources import subject_of

FOLDERS_ABOVE = 3
GENERIC = {*WORDS, "anat", "brain", "head", "image", "im", "img", "mr", "mri", "orig", "scan", "series"}


@dataclass(frozen=True)
class Known:
    """A subject of the model by whose name a scan goes, the part it was in; empty if there is none.

    `is_elsewhere` says that both data sets are named, and differ: most likely another person.
    """

    subject: str = ""
    part: str = ""
    is_elsewhere: bool = False

    @property
    def remark(self) -> str:
        """Say whom the model knows by this name, as evidence and not as a fact."""
        if not self.subject:
            return ""
        if self.is_elsewhere:
            return (
                f"{self.subject} is also a subject that the model has seen ({self.part}), in a data set of "
                "another name: taken for another subject."
            )
        return (
            f"The model has seen a subject of this name ({self.subject}, {self.part}): if it is the same "
            "one, p-value and map say little, so no verdict. If it is not, give the file another name."
        )


def known_subject(model: ModelFolder, scan: Path, subject: str = "") -> Known:
    """Look for a scan's subject, as the user names it or its path does, among those the model has seen.

    The subjects of a bundled model have the names of every data set (sub-01): for it a name counts
    only in the data set that it comes from.
    """
    seen = model.subjects
    found = next((name for name in ([subject] if subject else names_of(scan)) if name in seen), "")
    if not found:
        return Known()
    own, theirs = data_set_id(scan), model.data_sets.get(found, "")
    if model.is_shipped and own != theirs:
        return Known()
    return Known(found, seen[found], is_elsewhere=bool(own and theirs and own != theirs))


def names_of(scan: Path) -> list[str]:
    """List the names that a scan's subject may go by: BIDS' own, else the file's, else those of its folders.

    A file that is called after its contrast alone (T1.nii.gz) tells nothing of whose it is.
    """
    above = [folder.name for folder in scan.absolute().parents][:FOLDERS_ABOVE]
    own = subject_of(scan)
    bids = [name for name in (own, *above) if SUBJECT.fullmatch(name)]
    if bids:
        return bids[:1]
    return [own] if own.lower() not in GENERIC else [name for name in above if name]
