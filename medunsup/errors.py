"""The errors that medunsup raises on purpose, to catch: each message is one line and says what to do."""

from medunsup.core.errors import (
    ArrayError,
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
    "ArrayError",
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
