"""What results quote of the network that made them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from medunsup.cohort.finetuned.folder import FinetunedFolder

if TYPE_CHECKING:
    from medunsup.supervised.prediction import NetworkFacts

NATIVE: Final = "native"
FINETUNED: Final = "finetuned"


def facts_of(network: FinetunedFolder) -> "NetworkFacts":
    """Gather what is known of a network, with what it came to on its test scans."""
    from medunsup.supervised.prediction import NetworkFacts

    about, figures = network.manifest, network.figures
    mean: Mapping[str, Any] = figures.get("MeanDice", {}).get(network.arm, {}).get(NATIVE, {})
    area: Mapping[str, Any] = figures.get("AUC", {}).get(network.arm, {})
    each = figures.get("DicePerLabel", {}).get(network.arm, [])
    return NetworkFacts(
        folder=network.path.name,
        encoder=f"{about.encoder['encoder']} in {about.encoder['dims']}D",
        pretraining=about.pretraining,
        weights_sha256=network.weights_sha256,
        contrast=about.contrast,
        spacing_mm=about.spacing_mm,
        n_train=about.scans.get("train", 0),
        n_test=about.scans.get("test", 0),
        dice=mean.get("value"),
        dice_interval=_interval(mean),
        dice_per_label={
            label.name: one.get("value") for label, one in zip(network.labels, each, strict=False)
        },
        auc=area.get("value"),
        auc_interval=_interval(area),
    )


def _interval(estimate: Mapping[str, Any]) -> tuple[float, float] | None:
    low, high = estimate.get("low"), estimate.get("high")
    return None if low is None or high is None else (low, high)
