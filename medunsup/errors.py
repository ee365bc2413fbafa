"""The errors that medunsup raises on purpose, to catch: each message is one line and says what to do."""

from medunsup.core.errors import (
    DependencyError,
    EmptyImageError,
    GeometryError,
    InputError,
    MedunsupError,
    MissingError,
    OutputError,
    ResultThereError,
    StepError,
    UsageError,
)

__all__ = [
    "DependencyError",
    "EmptyImageError",
    "GeometryError",
    "InputError",
    "MedunsupError",
    "MissingError",
    "OutputError",
    "ResultThereError",
    "StepError",
    "UsageError",
]
