"""From prepared scans or images to the weights of an encoder, and how its training went."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.dataset.sources import SplitName
from medunsup.cohort.training.progress import training_of
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Stage, Told
from medunsup.core.registry import method
from medunsup.io.files.artifact_folder import Arrays
from medunsup.workflows.pretrain.settings import PretrainSettings

if TYPE_CHECKING:
    from medunsup.selfsupervised.base import SelfSupervised
    from medunsup.training.scan_stack import Scans

TIMING = "samples_per_s"

Curve = list[dict[str, float | None]]


@dataclass(frozen=True)
class Learned:
    """What comes out of a pretraining: weights by name, the network's parameters, figures of each epoch.

    `kept` is the epoch whose weights these are; `fitted` the method with its networks.
    """

    weights: Arrays
    decoder: Arrays | None
    network: dict[str, Any]
    n_features: int
    epochs: int
    verdict: str
    curve: Curve
    kept: int
    fitted: "SelfSupervised"

    @property
    def kept_figures(self) -> dict[str, float | None]:
        """Figures of the epoch whose weights are kept."""
        row = next(row for row in self.curve if row["epoch"] == self.kept)
        return {name: value for name, value in row.items() if name != "epoch"}


def build(settings: PretrainSettings) -> "SelfSupervised":
    """Make the method. Raises UsageError for one that does not exist, or parameters that it does not take."""
    kind: type[SelfSupervised] = method("selfsupervised", settings.method)
    values = {"seed": settings.seed, **settings.parameters}
    return kind(kind.Config.parse(values, settings.method))


def check_covariates(settings: PretrainSettings) -> None:
    """Raise UsageError if the method needs covariates that are not named, or takes none that are."""
    kind: type[SelfSupervised] = method("selfsupervised", settings.method)
    if kind.takes_covariates and not settings.covariates:
        raise UsageError(
            f"{settings.method} compares by a covariate. Name a column of numbers: "
            f"{option('covariates', 'age')}. Without any, simclr is the same method."
        )
    if settings.covariates and not kind.takes_covariates:
        raise UsageError(
            f"{settings.method} takes no {option('covariates')}. Leave them out, or use y_aware."
        )


def check_fits_images(settings: PretrainSettings, shape: tuple[int, ...]) -> None:
    """Raise UsageError if the method would learn from volumes, which images (C, I, J, K) of K = 1 are not."""
    if shape[3] == 1 and build(settings).config.dims != 2:
        raise UsageError(f"Images have two dimensions. Give {option('parameters', {'dims': 2})}.")


def learn(
    settings: PretrainSettings, scans: Mapping[SplitName, "Scans"], out: Path, *, resume: bool, told: Told
) -> Learned:
    """Pretrain on the scans of "train"; those of "validation", if there are any, are only measured on.

    `out` takes checkpoints, log and pictures.
    """
    from dataclasses import replace

    made = build(settings)
    training = replace(training_of(out, resume=resume, told=told), patience=None, keep="last")
    told(Stage("pretraining"))
    made.fit(scans["train"], validation=scans.get("validation"), training=training)
    encoder = made.encoder_
    return Learned(
        weights=made.state("encoder"),
        decoder=made.state("decoder") if made.has_decoder else None,
        network=encoder.config.model_dump(mode="json"),
        n_features=encoder.n_features,
        epochs=made.trained_.epochs,
        verdict=made.trained_.verdict,
        curve=read_curve(out),
        kept=made.trained_.best_epoch,
        fitted=made,
    )


def read_curve(folder: Path) -> Curve:
    """Read the figures of each epoch from the log, without those that are no part of the result."""
    from medunsup.training.monitor import LOG

    rows: list[dict[str, Any]] = [
        json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()
    ]
    return [{name: value for name, value in row.items() if name != TIMING} for row in rows]
