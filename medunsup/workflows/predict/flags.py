"""What makes a scan unlike those that a network was fine-tuned on, and what else a reader should know."""

from collections.abc import Sequence

from medunsup.anomaly.distribution_shift import SPACING_RATIO, DataCard, body_flag, flags
from medunsup.anomaly.result import Flag
from medunsup.cohort.finetuned.folder import Array, FinetunedFolder
from medunsup.cohort.prepare import Prepared
from medunsup.core.errors import InputError
from medunsup.core.hints import option
from medunsup.core.volume import Volume
from medunsup.supervised.prediction import LabelVolume

BRAIN_ML = (600.0, 2200.0)  # beyond all adults; a brain mask outside holds skull, or lacks brain
LEAST_INSIDE = 0.95
SEEN = {"train": "has learned from this scan", "test": "was tested on this scan"}


def refuse_contrast(made: Prepared, network: FinetunedFolder, scan: str) -> None:
    """Raise InputError for a scan of another contrast; one that was assumed is no evidence."""
    known = network.manifest.contrast
    if made.contrast != known and not made.contrast_is_assumed:
        raise InputError(
            f"{scan}: is {made.contrast}; the network was fine-tuned on {known} scans, and what it says "
            f"would mean nothing. Give a {known} scan; if this is one, say so: {option('contrast', known)}."
        )


def unlike_training(
    network: FinetunedFolder, made: Prepared, image: Volume, values: Array
) -> tuple[Flag, ...]:
    """Say what sets the scan apart from those of the fine-tuning; `values` are what the network sees.

    In a folder of an earlier version, which has no data card, only its voxels are compared with theirs.
    """
    found = [*body_flag(image.body_part)]
    card = network.data_card
    found += _coarse(network, made) if card is None else _beyond(card, network, made, values)
    brain_ml = float(made.brain.sum()) * image.voxel_volume_mm3 / 1000
    low, high = BRAIN_ML
    if not low <= brain_ml <= high:
        sentence = (
            f"The brain mask has {brain_ml:.0f} ml; those of adults have {low:.0f} to {high:.0f}. Brain is "
            "cut off, or skull is left."
        )
        found.append(Flag("brain", sentence, brain_ml, low if brain_ml < low else high))
    inside = _share_inside(made)
    if inside is not None and inside < LEAST_INSIDE:
        sentence = (
            f"Only {inside:.0%} of the brain mask lie on the template grid: the template was registered "
            "wrongly, or skull is left."
        )
        found.append(Flag("grid", sentence, inside, LEAST_INSIDE))
    return tuple(found)


def _beyond(card: DataCard, network: FinetunedFolder, made: Prepared, values: Array) -> tuple[Flag, ...]:
    """Compare with the data card; a field of brightness is none of values about 0."""
    found = flags(card, values, made.mask, coarsest_mm=max(made.spacing_mm), whose="training")
    return tuple(one for one in found if one.name != "bias" or not network.is_standardised)


def _coarse(network: FinetunedFolder, made: Prepared) -> tuple[Flag, ...]:
    sides, coarsest = max(made.spacing_mm), network.manifest.coarsest_mm
    if coarsest is None or sides <= SPACING_RATIO * coarsest:
        return ()
    limit = SPACING_RATIO * coarsest
    sentence = (
        f"The voxels measure up to {sides:.1f} mm (limit {limit:.1f} mm): far coarser than those of the "
        "training scans."
    )
    return (Flag("spacing", sentence, sides, limit),)


def remarks_on(
    network: FinetunedFolder, made: Prepared, volumes: Sequence[LabelVolume] = ()
) -> tuple[str, ...]:
    """Remark on a scan that the network has seen, on labels that are nowhere, on how it was prepared."""
    split = network.seen.get(made.sha256)
    known = SEEN.get(split, "knows this scan") if split is not None else ""
    seen = (
        f"The network {known}: what it says here tells little of how well it does on others." if known else ""
    )
    lost = [one.label.name for one in volumes if one.volume_ml == 0]
    return (
        *made.warnings,
        *([seen] if seen else []),
        *([f"No voxel is labelled {', '.join(lost)}."] if lost else []),
    )


def _share_inside(made: Prepared) -> float | None:
    """How much of the brain the template grid covers, as its preparation has noted."""
    notes = [step["findings"] for step in made.steps if "findings" in step]
    found = next((one["share_of_brain_inside"] for one in notes if "share_of_brain_inside" in one), None)
    return None if found is None else float(found)
