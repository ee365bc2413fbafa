"""Whether a model knows the person of a scan though not the file, by the names of subject and data set."""

from dataclasses import dataclass
from pathlib import Path

from medunsup.cohort.dataset.sources import HOW, subject_of
from medunsup.core.geometry import Grid
from medunsup.io.bids.names import SUBJECT, WORDS, data_set_id
from medunsup.workflows.train.model_folder import ModelFolder

FOLDERS_ABOVE = 3
GENERIC = {*WORDS, "anat", "brain", "head", "image", "im", "img", "mr", "mri", "orig", "scan", "series"}


@dataclass(frozen=True)
class SeenSubject:
    """A subject of the model by whose name a scan goes, the split it was in; empty if there is none.

    `is_elsewhere` says that both data sets are named, and differ: most likely another person. `evidence` says
    what hints at the model's data set where a name alone tells nothing: enough for a remark, no more.
    """

    subject: str = ""
    split: str = ""
    is_elsewhere: bool = False
    evidence: str = ""
    data_set: str = ""

    @property
    def forbids_verdict(self) -> bool:
        """Whether this is so likely the same person that the scan gets no verdict."""
        return bool(self.subject) and not self.is_elsewhere and not self.evidence

    @property
    def remark(self) -> str:
        """Say whom the model knows by this name, as evidence and not as a fact."""
        if not self.subject:
            return ""
        if self.evidence:
            return (
                f"{self.subject} is also the label of a subject that the model {HOW[self.split]} "
                f"({self.data_set}), and {self.evidence}. If this is that person, the p-value would be too "
                "high: ask a model that was made from others."
            )
        if self.is_elsewhere:
            return (
                f"The model {HOW[self.split]} a subject {self.subject}, too, but in a data set of another "
                "name: taken for another subject."
            )
        return (
            f"The model has seen a subject of this name (it {HOW[self.split]} {self.subject}): if it is "
            "the same one, p-value and map say little, so no verdict. If it is not, give the file another "
            "name."
        )


def known_subject(model: ModelFolder, scan: Path, subject: str = "", grid: Grid | None = None) -> SeenSubject:
    """Look for a scan's subject, as the user names it or its path does, among those the model has seen.

    The subjects of a bundled model have the names of every data set (sub-01): for it a name forbids a verdict
    only in the data set that it comes from, and is remarked on where the scan's path, a
    `dataset_description.json` or its `grid` hints at that one.
    """
    seen = model.subjects
    found = next((name for name in ([subject] if subject else names_of(scan)) if name in seen), "")
    if not found:
        return SeenSubject()
    own, theirs = data_set_id(scan), model.data_sets.get(found, "")
    if own and own == theirs:
        return SeenSubject(found, seen[found])
    evidence = model.data_set.evidence(scan, grid)
    if not model.is_shipped:
        return SeenSubject(found, seen[found], is_elsewhere=bool(own and theirs and not evidence))
    if not evidence:
        return SeenSubject()
    return SeenSubject(found, seen[found], evidence=evidence, data_set=model.data_set.name)


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
