"""Everything a user can choose about one segmentation: what the options, a YAML file and `--set` end in."""

import json
from typing import Annotated, Any, Literal

from pydantic import Field

from medunsup.cohort.settings import ReadSettings
from medunsup.core.hints import words

# As sidecars and command lines list the choices.
ORDER = (
    "method",
    "tissues",
    "contrast",
    "seed",
    "volume",
    "series",
    "coordinates",
    "brain",
    "learn_prior",
    "parameters",
)


class SegmentSettings(ReadSettings):
    """Choices that change the result; together with the inputs' hashes they decide whether a scan is done."""

    method: str = Field(
        "atlas_gmm", description="name of a tissue method that `medunsup methods tissue` lists"
    )
    tissues: Literal["auto"] | Annotated[int, Field(ge=2, le=12)] = Field(
        3, description="number of classes: 3 are GM, WM and CSF; 'auto' proposes one from the intensities"
    )
    seed: int = Field(default=0, ge=0, description="seed of every random choice")
    learn_prior: bool = Field(
        False, description="let all scans of a run refine the prior: segment, average, segment again"
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the method, by name; the method's config checks them"
    )

    @property
    def reading(self) -> ReadSettings:
        """The choices of reading alone."""
        return ReadSettings(**{name: getattr(self, name) for name in ReadSettings.model_fields})

    def as_record(self) -> dict[str, Any]:
        """Plain values for the sidecar, in a fixed order."""
        return _in_order(self.model_dump())

    def as_options(self) -> list[str]:
        """Return the command line options that make these choices, where they are not the defaults."""
        changed = _in_order(self.model_dump(exclude_defaults=True))
        parameters = changed.pop("parameters", {})
        flags = words("learn_prior", True) if changed.pop("learn_prior", False) else []
        options = [flags, *(words(key, value) for key, value in changed.items())]
        options += [words("parameters", {key: json.dumps(value)}) for key, value in parameters.items()]
        return [word for option in options for word in option]


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in sorted(values, key=ORDER.index)}
