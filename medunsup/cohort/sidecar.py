"""What the sidecars of all verbs have in common: a map's description, and the record of a whole result.

A verb's own model of its record lies in its folder (`workflows/segment/sidecar.py`) and is read and written
through here, so that no other file knows the keys.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_pascal

from medunsup.core.errors import InputError
from medunsup.core.provenance import generated_by, plain
from medunsup.core.renamed import by_new_names
from medunsup.io.bids.names import OutputNames, sidecar_path, source_uri
from medunsup.io.bids.outputs import Output

VERSION = 1  # of the records written here; those before it name none
RENAMED = {
    "false_parts": "fp_per_scan",
    "false_findings": "fp_per_scan",
}  # choices in sidecars of earlier versions
SCAN = "scan"


class SidecarError(InputError):
    """A sidecar that tells nothing of a result; `why` says what is wrong with it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(path, why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.args[0]} {self.why}"


class UnreadableSidecarError(SidecarError):
    """It cannot be read, or is no JSON."""


class ForeignSidecarError(SidecarError):
    """Another program made it."""


class UnknownVersionError(SidecarError):
    """It is ours and cannot be understood: another version made it, or somebody changed it."""


class Facts(BaseModel):
    """Part of a sidecar; keys are written as BIDS does, those that are not known are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_pascal, populate_by_name=True)


class InputEntry(Facts):
    """One file that went into a result, without its folder."""

    role: str
    name: str
    sha256: str = Field("", alias="SHA256")


class Made(Facts):
    """From what a result was made: what decides whether it is the one asked for."""

    model_config = ConfigDict(extra="allow")

    version: str = ""
    model: str | None = None
    choices: dict[str, Any] = Field(default_factory=dict)
    inputs: tuple[InputEntry, ...]

    @field_validator("choices")
    @classmethod
    def _by_todays_names(cls, choices: dict[str, Any]) -> dict[str, Any]:
        return by_new_names(choices, RENAMED)

    @field_validator("inputs")
    @classmethod
    def _with_a_scan(cls, inputs: tuple[InputEntry, ...]) -> tuple[InputEntry, ...]:
        if not any(item.role == SCAN for item in inputs):
            raise ValueError("no scan among the inputs")
        return inputs

    @property
    def scan(self) -> str:
        """Name of the scan's own file."""
        return next(item.name for item in self.inputs if item.role == SCAN)

    def as_identity(self, without: str = "") -> dict[str, Any]:
        """Plain values as a request gives them; an input of the role `without` is left out."""
        values = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return values | {"Inputs": [item for item in values["Inputs"] if item["Role"] != without]}


class StepEntry(Facts):
    """One step of the record, as `core.record` writes it."""

    model_config = ConfigDict(alias_generator=None)

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    findings: dict[str, Any] = Field(default_factory=dict)
    outcome: str = "done"
    warnings: tuple[str, ...] = ()


class ResultSidecar(Facts):
    """The record of a whole result; it stands in the sidecar of one of its maps, beside what BIDS asks."""

    medunsup: Made
    sidecar_version: int = 0

    @classmethod
    def of(cls, facts: dict[str, Any], identity: dict[str, Any]) -> Self:
        """Make a record of today's version from `facts`, by key or field name."""
        return cls.model_validate(plain({"medunsup": identity, "sidecar_version": VERSION, **facts}))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a sidecar of this or an earlier version.

        Raises UnreadableSidecarError, ForeignSidecarError or UnknownVersionError.
        """
        try:
            facts = json.loads(path.read_text(encoding="utf-8-sig"))  # editors may add a byte order mark
        except (OSError, ValueError, RecursionError) as error:
            raise UnreadableSidecarError(path, "cannot be read") from error
        if not isinstance(facts, dict) or not isinstance(facts.get("Medunsup"), dict):
            raise ForeignSidecarError(path, "is not one of ours")
        try:
            sidecar = cls.model_validate(facts)
        except ValidationError as error:
            raise UnknownVersionError(path, "was made by another version, or changed since") from error
        if sidecar.sidecar_version > VERSION:
            raise UnknownVersionError(path, "was made by a later version")
        return sidecar

    def as_json(self) -> dict[str, Any]:
        """Return plain values; what was not known is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


def map_facts(
    output: Output, names: OutputNames, scan: Path, identity: dict[str, Any], record: Output, **more: Any
) -> dict[str, Any]:
    """Gather what a map's sidecar says: what it shows, of which scan, and where the `record` is.

    `more` are further facts of this one map. For the record itself `ResultSidecar.as_json` is added.
    """
    others = [item["Name"] for item in identity["Inputs"] if item["Role"] != SCAN]
    elsewhere = {} if output == record else {"Record": sidecar_path(names.path(record)).name}
    facts = {
        "Description": output.description,
        "Sources": [source_uri(scan, names.root), *others],
        "SpatialReference": "orig",
        **output.facts,
        **more,
        "GeneratedBy": [generated_by()],
        "Medunsup": identity,
        **elsewhere,
    }
    return dict(plain(facts))


def warnings_of(steps: Sequence[StepEntry]) -> list[str]:
    """Every warning of the steps, in order."""
    return [warning for step in steps for warning in step.warnings]
