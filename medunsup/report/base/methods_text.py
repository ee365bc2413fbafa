"""What a methods paragraph is made of: sentences with numbered references, and what was read."""

from dataclasses import dataclass, field

from medunsup.core.volume import Volume
from medunsup.report.base.citations import CITATIONS

READERS = {"nifti": ("NIfTI", "nibabel"), "mgz": ("MGH", "nibabel"), "dicom": ("DICOM", "highdicom")}
REGISTRATION = ("simpleitk", "mutual information")


@dataclass
class MethodsText:
    """Sentences with numbered references, in the order in which they are first cited."""

    sentences: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    def say(self, sentence: str, *cited: str) -> None:
        """Add a sentence that cites keys of `CITATIONS`, or full references."""
        numbers = sorted(self._number(CITATIONS.get(key, key)) for key in cited)
        marks = f" [{', '.join(map(str, numbers))}]" if numbers else ""
        self.sentences.append(f"{sentence}{marks}.")

    def _number(self, reference: str) -> int:
        if reference not in self.references:
            self.references.append(reference)
        return self.references.index(reference) + 1

    @property
    def paragraph(self) -> str:
        """All sentences in one paragraph."""
        return " ".join(self.sentences)


def say_input(text: MethodsText, image: Volume) -> None:
    """Say what was read, and with what."""
    source = image.source
    spacing = " × ".join(f"{length:.2g}" for length in image.spacing_mm)
    if source is None or source.format not in READERS:
        text.say(f"It was given as an array with voxels of {spacing} mm")
        return
    name, reader = READERS[source.format]
    text.say(f"It was read as {name} with voxels of {spacing} mm", reader)
