"""A kind of file that a verb writes: said once, in the verb's own folder.

From it follow the file's name, what BIDS tools are told to pass over, what its sidecar and the README of the
folder say of it, and what is not replaced unasked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LABEL = "{label}"
MAP = ".nii.gz"


@dataclass(frozen=True)
class Output:
    """One kind of file.

    `key` is what the verb calls it. `name` follows the scan's own name and "_"; in it {label} stands for what
    tells several files of one kind apart, {suffix} for the scan's BIDS suffix with "_" before it, nothing
    outside BIDS. `is_bids`: whether BIDS knows such a name. `facts` go into its sidecar. `is_shared`: one
    file for all scans of a folder, in its root, called `name`.
    """

    key: str
    name: str
    is_bids: bool
    description: str
    facts: Mapping[str, Any] = field(default_factory=dict, compare=False)
    is_shared: bool = False

    @property
    def is_map(self) -> bool:
        """Whether it is an image, with a sidecar beside it."""
        return self.name.endswith(MAP)

    @property
    def is_labelled(self) -> bool:
        """Whether there may be several of a scan."""
        return LABEL in self.name

    def kind(self, label: str = "") -> str:
        """Return what one file of it is called where files are listed, such as "probseg_GM"."""
        return f"{self.key}_{label}" if label else self.key

    def ending(self, label: str = "", suffix: str | None = None) -> str:
        """Return the end of the file's name; a label of BIDS holds no underscore."""
        dressed = "" if suffix is None else f"_{suffix}"
        return self.name.format(label=label.replace("_", ""), suffix=dressed)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Lines of a .bidsignore for it and its sidecar; none for what BIDS knows."""
        if self.is_bids:
            return ()
        line = self.name if self.is_shared else "*_" + self.ending("*", "*")
        return (line, line.removesuffix(MAP) + ".json") if self.is_map else (line,)


@dataclass(frozen=True)
class Derivative:
    """All that a verb leaves in a folder; `record` is the map whose sidecar says that a result is whole.

    Without a map the record is that JSON file itself. `title` names the data set, `heading` and `notes` begin
    and end its README.
    """

    title: str
    heading: str
    notes: str
    record: Output
    outputs: tuple[Output, ...]

    @property
    def ignored(self) -> list[str]:
        """Lines of the .bidsignore, each once."""
        return list(dict.fromkeys(line for output in self.outputs for line in output.ignored))

    @property
    def readme(self) -> str:
        """The README of the folder."""
        record = self.record.name.removesuffix(MAP).removesuffix(".json")
        own = [output for output in self.outputs if not output.is_shared]
        shared = [output for output in self.outputs if output.is_shared]
        paragraphs = [
            f"# {self.heading}",
            "In each subject's `anat` folder, in native space (that of the scan):",
            _listed(own),
            *(["For all scans together:", _listed(shared)] if shared else []),
            f"The sidecar `_{record}.json` says how each result was made; where it is missing, the result is "
            "not complete.",
            self.notes,
        ]
        return "\n\n".join(paragraphs) + "\n"


def each_of(outputs: Iterable[Output], labels: Mapping[str, Sequence[str]]) -> list[tuple[Output, str]]:
    """Pair each kind of file of one scan with its label; `labels` holds those of each kind by its key."""
    own = [output for output in outputs if not output.is_shared]
    return [(one, label) for one in own for label in (labels.get(one.key, ()) if one.is_labelled else ("",))]


def _listed(outputs: Iterable[Output]) -> str:
    return "\n".join(f"- `{_shown(output)}`: {output.description}" for output in outputs)


def _shown(output: Output) -> str:
    """Name a file as a README does: maps without their ending."""
    return output.name if output.is_shared else "_" + output.ending("...").removesuffix(MAP)
