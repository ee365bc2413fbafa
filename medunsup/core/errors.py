"""Every error a user can meet; each message says what, where, and what to do."""


class MedunsupError(Exception):
    """Base of all errors raised on purpose: one line, no traceback needed to act on it."""


class UsageError(MedunsupError):
    """The call itself is wrong: an unknown option, method or combination."""


class InputError(MedunsupError):
    """A file cannot be used as it is: not an image, truncated, empty, wrong modality."""


class ArrayError(InputError, ValueError):
    """An array given from Python cannot be used; also a ValueError, as scikit-learn and its tools expect."""


class MissingError(InputError):
    """A file or folder that the call, a pattern or a table names does not exist."""


class EmptyImageError(InputError):
    """Every voxel of an image is 0; fine for a mask of what may not be there."""


class GeometryError(InputError):
    """The place of the voxels in the world is missing, irregular or contradictory."""


class OutputError(MedunsupError):
    """Results cannot be written: the folder is locked, full, not writable, or holds results already."""


class ResultThereError(OutputError):
    """A result is there already that the call would replace; `force` allows it."""


class DependencyError(MedunsupError):
    """An optional package is missing; the message names the extra that brings it."""


class StepError(MedunsupError):
    """A processing step failed on this scan and nothing could take its place."""


def is_wrong_use(error: Exception) -> bool:
    """Whether an error lies in what was asked, not in the work: the rule behind exit codes 2 and 1."""
    return isinstance(error, UsageError | MissingError | ResultThereError)
