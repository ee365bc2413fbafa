"""Whether a model folder is what was trained: its files' hashes, and a figure computed again."""

import math
from dataclasses import dataclass
from pathlib import Path

from medunsup.core.errors import InputError
from medunsup.core.paths import user_path
from medunsup.workflows.train.fit import check_figures
from medunsup.workflows.train.model_folder import MANIFEST, WEIGHTS, ModelFolder, read_model

TOLERANCE = 1e-3  # relative; threads and processors change the last digits of a network's sums


@dataclass(frozen=True)
class Verification:
    """`changed` files, and each figure as stored and as computed now; `is_sound` if nothing differs.

    Without `figures` the weights are among the changed files: nothing is computed with them.
    """

    model: ModelFolder
    changed: tuple[str, ...]
    figures: dict[str, tuple[float, float]]

    @property
    def differing(self) -> tuple[str, ...]:
        """Figures that are not what they were."""
        return tuple(
            name
            for name, (before, now) in self.figures.items()
            if not math.isclose(before, now, rel_tol=TOLERANCE)
        )

    @property
    def is_sound(self) -> bool:
        """Whether files and figures are as they were written."""
        return not self.changed and not self.differing


def verify(path: str | Path) -> Verification:
    """Hash the files of a model folder and score the MNI152 template again, as training did.

    Raises InputError for a folder that is no model.
    """
    model = read_model(path)
    changed = model.files.changed()
    if model.stored(WEIGHTS) in changed:
        return Verification(model, tuple(changed), {})
    now = check_figures(model.healthy)
    stored = {name: math.nan if value is None else value for name, value in model.manifest.check.items()}
    figures = {name: (value, now[name]) for name, value in stored.items()}
    return Verification(model, tuple(changed), figures)


def find_models(folder: str | Path) -> tuple[list[ModelFolder], list[str]]:
    """List the model folders in a folder, by name, and say why others cannot be read."""
    found, unreadable = [], []
    for manifest in sorted(user_path(folder).glob(f"*/{MANIFEST}")):
        try:
            found.append(read_model(manifest.parent))
        except InputError as error:
            unreadable.append(str(error))
    return found, unreadable
