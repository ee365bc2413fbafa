"""What a network came to on its own test subjects, in words."""

from medunsup.report.base.numbers import minus
from medunsup.supervised.prediction import NetworkFacts

CHANCE = 0.5
WORST = {"images": "Images of another kind", "scans": "Scans of another kind"}


def meaning(network: NetworkFacts) -> str:
    """Say what is to be expected of scans or images like those that the network was tested on."""
    things = "scans" if network.spacing_mm else "images"
    counted = things if network.n_test != 1 else things[:-1]
    others = f"{counted} of other subjects" if network.spacing_mm else f"other {counted}"
    tested = f"tested on {network.n_test} {others}" if network.n_test else "not tested"
    kind = " ".join(filter(None, [network.contrast, things]))
    told = f"Fine-tuned on {network.n_train} {kind}, {tested}"
    measured, ends = figure(network), network.auc_interval
    doubt = ", no more than chance may give" if ends is not None and ends[0] <= CHANCE else ""
    return f"{told}: {measured} there{doubt}. {WORST[things]} may fare far worse." if measured else f"{told}."


def figure(network: NetworkFacts) -> str:
    """Write the network's mean Dice or AUC with its interval; empty if it was not measured."""
    if network.auc is not None:
        name, value, ends = "AUC", network.auc, network.auc_interval
    elif network.dice is not None:
        name, value, ends = "mean Dice", network.dice, network.dice_interval
    else:
        return ""
    interval = f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else ""
    return minus(f"{name} {value:.3f}{interval}")
