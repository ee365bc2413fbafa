"""Does a scan look like those a model learned from? If not, its map and p-value mean nothing.

Each measure's limit follows from the healthy scans themselves, each compared with the others (leave one out).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.anomaly.evenness import field_ratio
from medunsup.anomaly.result import Flag
from medunsup.preprocess.geometry.mirror import mirrored
from medunsup.training.scan_stack import Array, Mask, Scans

MEASURES = ("pattern", "outside", "missing", "intensities", "side")
HIGHER_IS_WORSE = np.array([False, True, True, True, False])
USUAL_COVERAGE, RARE_COVERAGE, OWN_COVERAGE = 0.9, 0.02, 0.5
QUANTILES = np.linspace(0.025, 0.975, 20)
SMOOTHING_VOXELS = 2.0
TAIL, REACH = 0.05, 2.0
LEAST_REACH = np.array([0.1, 0.02, 0.02, 0.02, 0.0])
SPACING_RATIO = 2.0
# At most one in twenty of 66 healthy scans of one study lies beyond it; a field of 2 makes 1.8 to 2.
FIELD_RATIO = 1.7

SENTENCES = {
    "pattern": "The intensity pattern correlates only {value} with that of the mean {whose} scan "
    "(minimum {limit}): another contrast or scanner, or the template was registered wrongly.",
    "outside": "{value} of the mask are brain in no {whose} scan (limit {limit}): "
    "the skull is left, or the template was registered wrongly.",
    "missing": "{value} of what the brains of {whose} scans hold is not in the mask (limit {limit}): "
    "brain is cut off, or the template was registered wrongly.",
    "intensities": "The intensities are spread otherwise than in {whose} scans (distance {value}, "
    "limit {limit}): another contrast or sequence, or much noise.",
    "side": "Left and right differ the other way round than in {whose} scans (correlation {value}, "
    "limit {limit}): left and right may be flipped.",
    "bias": "Brightness changes smoothly across the brain by a factor of {value} otherwise than in {whose} "
    "scans (limit {limit}): another bias field, as of another coil or field strength, or one that was "
    "corrected here and not there; of {whose} scans of one study up to 1 in 20 show it by chance.",
    "spacing": "The voxels measure up to {value} mm (limit {limit} mm): far coarser than those known.",
    "contrast": "The scan is {found}, the model knows {known}.",
    "body": "The scanner says this is the {found}, not the head.",
}
IMAGE_SENTENCES = {
    "pattern": "The pattern correlates only {value} with that of the mean {whose} image (minimum {limit}): "
    "another kind of image, or one that is turned or cropped otherwise.",
    "intensities": "The intensities are spread otherwise than in {whose} images (distance {value}, "
    "limit {limit}): another device or scale, or much noise.",
}
# How the two numbers of a sentence are written: digits at least, "%" or "f".
WRITTEN = {
    "pattern": (2, "f"),
    "outside": (1, "%"),
    "missing": (1, "%"),
    "intensities": (3, "f"),
    "side": (2, "f"),
    "bias": (2, "f"),
    "spacing": (1, "f"),
}
MOST_DIGITS = 9


@dataclass(frozen=True)
class DataCard:
    """What healthy scans look like, on the grid (I, J, K).

    `mean` and `coverage` (share of scans whose mask holds a voxel), `asymmetry` (mean of left minus right,
    smoothed), `quantiles` of intensities, `limits` of `MEASURES`, `coarsest_mm` of the scans as they came,
    `middle` the sum of the indices of two mirrored voxels along the first axis. The first channel counts.
    """

    mean: Array
    coverage: Array
    asymmetry: Array
    quantiles: NDArray[np.float64]
    limits: NDArray[np.float64]
    coarsest_mm: float
    middle: int

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of_state(cls, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave."""
        values: dict[str, Any] = dict(state)
        values |= {"coarsest_mm": float(state["coarsest_mm"]), "middle": int(state["middle"])}
        return cls(**values)


def learn_card(scans: Scans, *, coarsest_mm: float, middle: int) -> DataCard:
    """Gather what healthy scans look like, and set limits by comparing each scan with all others.

    Scans are read one at a time, twice. With fewer than three scans there are no limits worth the name, and
    nothing but the size of voxels will be flagged by them.
    """
    sums = _Sums.of(scans, middle)
    measured = np.array([sums.without(values, mask).measure(values, mask) for values, mask in scans])
    return DataCard(
        mean=sums.mean,
        coverage=sums.coverage,
        asymmetry=sums.asymmetry,
        quantiles=sums.quantiles,
        limits=_limits(measured),
        coarsest_mm=coarsest_mm,
        middle=middle,
    )


def flags(
    card: DataCard, values: Array, mask: Mask, *, coarsest_mm: float, whose: str = "healthy"
) -> tuple[Flag, ...]:
    """Say what makes a scan (C, I, J, K) unlike those of the card; nothing if it is like them.

    `whose` says what these are: the "healthy" scans of a detector, the "training" scans of a network.
    """
    found = _measure(values, mask, card)
    beyond = np.where(HIGHER_IS_WORSE, found > card.limits, found < card.limits)
    if beyond[MEASURES.index("pattern")]:
        beyond[MEASURES.index("side")] = False  # of another contrast or place, sides say nothing
    measured = list(zip(MEASURES, found, card.limits, beyond, strict=True))
    if np.isfinite(card.limits).all():  # the mean of fewer than three scans holds their own fields
        field = field_ratio(values[0], card.mean, mask & (card.coverage > OWN_COVERAGE))
        measured.append(("bias", np.float64(field), np.float64(FIELD_RATIO), np.bool_(field > FIELD_RATIO)))
    limit_mm = SPACING_RATIO * card.coarsest_mm
    measured.append(
        ("spacing", np.float64(coarsest_mm), np.float64(limit_mm), np.bool_(coarsest_mm > limit_mm))
    )
    return tuple(
        Flag(name, _sentence(SENTENCES, name, value, limit, whose), float(value), float(limit))
        for name, value, limit, is_beyond in measured
        if is_beyond
    )


def image_flags(card: DataCard, values: Array, mask: Mask, *, whose: str = "training") -> tuple[Flag, ...]:
    """Do what `flags` does for an image (C, I, J, K), of which pattern and intensities count."""
    found = _measure(values, mask, card)
    beyond = np.where(HIGHER_IS_WORSE, found > card.limits, found < card.limits)
    measured = zip(MEASURES, found, card.limits, beyond, strict=True)
    return tuple(
        Flag(name, _sentence(IMAGE_SENTENCES, name, value, limit, whose), float(value), float(limit))
        for name, value, limit, is_beyond in measured
        if is_beyond and name in IMAGE_SENTENCES
    )


def _sentence(
    sentences: Mapping[str, str], name: str, value: np.float64, limit: np.float64, whose: str
) -> str:
    """Write both numbers with as many digits as it takes to tell them apart."""
    fewest, kind = WRITTEN[name]
    for digits in range(fewest, MOST_DIGITS + 1):
        told, bound = (f"{number:z.{digits}{kind}}" for number in (value, limit))
        if told != bound:
            break
    words = sentences[name].format(value=told, limit=bound, whose=whose)
    return words.replace(" -", " −")  # as the page writes numbers


def contrast_flag(found: str, known: str) -> tuple[Flag, ...]:
    """Flag a scan of another contrast by its name."""
    if found == known:
        return ()
    return (Flag("contrast", SENTENCES["contrast"].format(found=found, known=known)),)


def body_flag(found: str | None) -> tuple[Flag, ...]:
    """Flag a scan whose header names another part of the body; None where it names none."""
    if found in (None, "head"):
        return ()
    return (Flag("body", SENTENCES["body"].format(found=found)),)


@dataclass(frozen=True)
class _Sums:
    """Sums over scans, from which one can be taken out again."""

    n: int
    values: NDArray[np.float64]
    masks: NDArray[np.float64]
    differences: NDArray[np.float64]
    all_quantiles: NDArray[np.float64]
    middle: int

    @classmethod
    def of(cls, scans: Scans, middle: int) -> "_Sums":
        shape = scans.shape[1:]
        values, masks, differences = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        quantiles = np.zeros(QUANTILES.size)
        for scan, mask in scans:
            values += scan[0]
            masks += mask
            differences += _difference(scan[0], middle)
            quantiles += np.quantile(scan[0][mask], QUANTILES)
        return cls(len(scans), values, masks, differences, quantiles, middle)

    def without(self, values: Array, mask: Mask) -> "_Sums":
        """Take one scan out."""
        return _Sums(
            self.n - 1,
            self.values - values[0],
            self.masks - mask,
            self.differences - _difference(values[0], self.middle),
            self.all_quantiles - np.quantile(values[0][mask], QUANTILES),
            self.middle,
        )

    @property
    def mean(self) -> Array:
        return np.asarray(self.values / np.maximum(self.masks, 1), dtype=np.float32)

    @property
    def coverage(self) -> Array:
        return np.asarray(self.masks / max(self.n, 1), dtype=np.float32)

    @property
    def asymmetry(self) -> Array:
        return np.asarray(self.differences / max(self.n, 1), dtype=np.float32)

    @property
    def quantiles(self) -> NDArray[np.float64]:
        return self.all_quantiles / max(self.n, 1)

    def measure(self, values: Array, mask: Mask) -> NDArray[np.float64]:
        return _measure(values, mask, self)


def _measure(values: Array, mask: Mask, healthy: Any) -> NDArray[np.float64]:
    """Return `MEASURES` of one scan beside a `DataCard` or `_Sums`."""
    usual = healthy.coverage > USUAL_COVERAGE
    rare = healthy.coverage < RARE_COVERAGE
    shared = mask & (healthy.coverage > OWN_COVERAGE)
    own = np.quantile(values[0][mask], QUANTILES) if mask.any() else np.zeros(QUANTILES.size)
    half = shared & mirrored(shared, healthy.middle)
    half[: healthy.middle // 2 + 1] = False
    return np.array(
        [
            _correlation(values[0][shared], healthy.mean[shared]),
            (mask & rare).sum() / max(int(mask.sum()), 1),
            (usual & ~mask).sum() / max(int(usual.sum()), 1),
            np.abs(own - healthy.quantiles).mean(),
            _correlation(_difference(values[0], healthy.middle)[half], healthy.asymmetry[half]),
        ]
    )


def _limits(measured: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twice as far from the median as the worst twentieth of healthy scans; sides beyond zero only."""
    if len(measured) < 3:
        return np.where(HIGHER_IS_WORSE, np.inf, -np.inf)
    median = np.median(measured, axis=0)
    bad = np.where(
        HIGHER_IS_WORSE, np.quantile(measured, 1 - TAIL, axis=0), np.quantile(measured, TAIL, axis=0)
    )
    reach = np.maximum(REACH * np.abs(bad - median), LEAST_REACH)
    limits = np.where(HIGHER_IS_WORSE, median + reach, median - reach)
    limits[MEASURES.index("side")] = min(0.0, float(np.quantile(measured[:, -1], TAIL / 2)))
    return limits


def _difference(values: Array, middle: int) -> Array:
    """Left minus right, smoothed: fine folds lie differently in everyone, broad differences do not."""
    return np.asarray(ndimage.gaussian_filter(values - mirrored(values, middle), SMOOTHING_VOXELS))


def _correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    if first.size < 2 or first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])
