"""The models that come with medunsup: their names, their folders, and which one `detect` takes unasked."""

from difflib import get_close_matches
from pathlib import Path

from medunsup.core.errors import UsageError
from medunsup.core.registry import PACKAGE

FOLDER = PACKAGE / "models"
DEFAULT = "t1w_2mm_atlas"
REACH = (
    "The model comes with medunsup and knows healthy adults from one scanner: on scans of another it gives a "
    "first look. For verdicts train on healthy scans of your own scanner (medunsup train)."
)


def shipped_models() -> dict[str, Path]:
    """Folders of the bundled models, by name."""
    return {manifest.parent.name: manifest.parent for manifest in sorted(FOLDER.glob("*/model.json"))}


def is_shipped(folder: Path) -> bool:
    """Whether a model folder is a bundled one."""
    return folder.resolve().parent == FOLDER


def model_path(model: Path) -> Path:
    """Return the folder that is meant by a path or by the name of a bundled model.

    What is there under the path wins. Raises UsageError if there is neither, naming what there is.
    """
    known = shipped_models()
    if model.exists():
        return model
    if str(model) in known:
        return known[str(model)]
    near = get_close_matches(str(model), known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Bundled models: {', '.join(known) or 'none'}."
    raise UsageError(f"{model}: there is no such folder. Give a folder that train made. {hint}")
