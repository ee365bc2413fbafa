"""Every error a user can meet; each message says what, where, and what to do."""


class MedunsupError(Exception):
    """Base of all errors raised on purpose: one line, no traceback needed to act on it."""


class UsageError(MedunsupError):
    """The call itself is wrong: an unknown option, method or combination."""


class InputError(MedunsupError):
    """A file cannot be used as it is: not an image, truncated, empty, wrong modality."""


class EmptyImageError(InputError):
    """Every voxel of an image is 0; fine for a mask of what may not be there."""


class GeometryError(InputError):
    """The place of the voxels in the world is missing, irregular or contradictory."""


class OutputError(MedunsupError):
    """Results cannot be written: the folder is locked, full, not writable, or holds results already."""


class DependencyError(MedunsupError):
    """An optional package is missing; the message names the extra that brings it."""


class StepError(MedunsupError):
    """A processing step failed on this scan and nothing could take its place."""
