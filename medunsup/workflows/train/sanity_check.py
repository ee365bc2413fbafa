"""How a model stood beside the baselines in its own check: synthetic lesions while it was trained."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from medunsup.core.errors import InputError, MedunsupError
from medunsup.core.hints import both
from medunsup.core.renamed import by_new_names
from medunsup.io.files.tsv import read_tsv

CHANCE = "prevalence"
HARDLY = 2.0


@dataclass(frozen=True)
class SyntheticCheck:
    """Average precision of the model and of the best baseline; `prevalence` is what chance reaches."""

    average_precision: float
    prevalence: float
    best: str
    best_average_precision: float

    @property
    def standing(self) -> str:
        """Say how the model stands beside the best baseline."""
        said = f"average precision on synthetic lesions {self.average_precision:.3f}"
        beside = f"best baseline {words_of(self.best)} {self.best_average_precision:.3f}"
        return f"{said}, {beside}" + (": the baseline is better here" if self.is_outdone else "")

    @property
    def is_outdone(self) -> bool:
        """Whether a baseline found more."""
        return self.best_average_precision > self.average_precision

    @property
    def doubt(self) -> str:
        """Say so if the model was outdone or hardly better than chance; nothing if it was better."""
        said = (
            "In its own check on synthetic lesions this model reached an average precision of "
            f"{self.average_precision:.4f} (chance {self.prevalence:.4f})"
        )
        if self.is_outdone:
            beside = f"less than the baseline {words_of(self.best)} ({self.best_average_precision:.4f})"
            return f"{said}, {beside}: read the baselines beside it, {both('baselines', True)}."
        if self.average_precision < HARDLY * self.prevalence:
            return f"{said}, hardly better than chance: its map says little."
        return ""


def words_of(baseline: str) -> str:
    """Name a baseline in words; one of another version keeps its name."""
    from medunsup.anomaly.baselines import BASELINES

    known = BASELINES.get(baseline)
    return f'"{known.words}"' if known else baseline


def read_synthetic(table: Path, *, without: Collection[str] = ()) -> SyntheticCheck:
    """Read a model folder's table of the model, in its first row, and the baselines but those `without`.

    Raises InputError if it is missing or damaged.
    """
    from medunsup.anomaly.baselines import RENAMED

    try:
        own, *others = read_tsv(table).rows
        found = {row["method"]: float(row["average_precision"]) for row in others}
        found = by_new_names(found, RENAMED)
        for name in (CHANCE, *without):
            found.pop(name, None)
        best = max(found, key=found.__getitem__)
        return SyntheticCheck(float(own["average_precision"]), float(own["prevalence"]), best, found[best])
    except (MedunsupError, ValueError, KeyError) as error:
        raise InputError(
            f"{table}: is missing or damaged. Copy the whole model folder again, or train again."
        ) from error
