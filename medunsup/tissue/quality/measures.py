"""What each measure of the verdict is called, its unit, and how far it may go: for a reader's table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args

from medunsup.io.bids.names import Contrast
from medunsup.tissue.quality import limits
from medunsup.tissue.quality.limits import Limit

MEANINGS: dict[str, tuple[str, str]] = {
    "atlas_better_elsewhere_percent": ("Gain if the template lay elsewhere, negative where it fits", "%"),
    "atlas_agreement_nats": ("Mutual information of expected tissue and intensity", "nats"),
    "atlas_overlap_dice": ("Overlap of brain mask and template brain (Dice)", ""),
    "mask_empty_percent": ("Mask voxels that are empty background", "%"),
    "mask_flat_face_percent": ("Largest end plane of the mask, of its largest section", "%"),
    "region_missing_percent": ("Left out of the worst of 12 regions of the template's brain", "%"),
    "left_out_percent": ("Scan outside the mask, of the mask's volume", "%"),
    "atlas_in_view_percent": ("Template brain within the field of view", "%"),
    "mask_far_outside_percent": ("Mask more than 6 mm outside the template's brain", "%"),
    "boundary_bright_percent": ("Mask boundary brighter than any tissue", "%"),
    "boundary_fluid_percent": ("Mask boundary nearer to CSF than to grey matter", "%"),
    "mask_pieces_percent": ("Mask apart from its largest connected component", "%"),
    "mask_holes_percent": ("Holes in the mask", "%"),
    "wm_less_gm": ("White less grey matter, of the mask's intensity range", ""),
    "gm_less_csf": ("Grey matter less CSF, of the mask's intensity range", ""),
    "asymmetry_percent": ("Brain with other tissue than at its mirror place", "%"),
    **{
        f"{name.lower()}_apart_percent": (f"Regions of the brain where the {name} fits better elsewhere", "%")
        for name in get_args(Contrast)
    },
    "grey_patch_ml": ("Largest patch of white matter as dark as grey matter", "ml"),
    "bright_patch_ml": ("Largest patch brighter than any tissue", "ml"),
    "bias_left_percent": ("Brightness of white matter still uneven after bias correction", "%"),
    "at_highest_percent": ("Brain at the scan's highest value, cut off there", "%"),
    "at_lowest_percent": ("Brain at the scan's lowest value, cut off there", "%"),
    "ghosting_percent": ("Unevenness of white matter over a few mm, of the GM-WM contrast", "%"),
    "noise_percent": ("Noise of white matter at 2 mm, of the GM-WM contrast", "%"),
    "brain_mask_ml": ("Brain mask volume", "ml"),
    "gm_percent": ("Grey matter, of the mask", "%"),
    "wm_percent": ("White matter, of the mask", "%"),
    "csf_percent": ("CSF, of the mask", "%"),
    "brain_missing_percent": ("Template brain that the mask leaves out", "%"),
    "registration_metric_nats": ("Mutual information of the registration", "nats"),
    "log_likelihood": ("Mean log-likelihood per voxel", ""),
    "converged": ("The fit converged (1) or not (0)", ""),
}


@dataclass(frozen=True)
class MeasureRow:
    """One measure for a table: what it is, its value with unit, and the limit for a look; "" without."""

    meaning: str
    value: float
    unit: str
    limit: str
    is_beyond: bool


def rows(measures: Mapping[str, float]) -> list[MeasureRow]:
    """Explain measures in the order they were taken; one that nothing is said of keeps its name."""
    known = {limit.measure: limit for limit in _all_limits()}
    return [_row(name, value, known.get(name)) for name, value in measures.items()]


def _row(name: str, value: float, limit: Limit | None) -> MeasureRow:
    meaning, unit = MEANINGS.get(name, (name.replace("_", " "), ""))
    if limit is None:
        return MeasureRow(meaning, value, unit, _range(name), is_beyond=False)
    told = f"{'at least' if limit.too_low else 'at most'} {limit.check:g}"
    return MeasureRow(
        f"{meaning} (limit for {limit.only})" if limit.only else meaning,
        value,
        unit,
        told,
        limit.judge(value) != "pass",
    )


def _range(name: str) -> str:
    """Return the usual range of a volume or share."""
    ranges = {"brain_mask_ml": limits.VOLUME_ML[0]}
    ranges |= {f"{tissue.lower()}_percent": ends for tissue, ends in limits.SHARES_PERCENT.items()}
    return f"{ranges[name][0]:g} to {ranges[name][1]:g}" if name in ranges else ""


def _all_limits() -> Iterable[Limit]:
    """Every limit that `limits` holds, alone or in a tuple."""
    for value in vars(limits).values():
        group = value if isinstance(value, tuple) else (value,)
        yield from (item for item in group if isinstance(item, Limit))
