"""Two maps of a sample's features: t-SNE, and the first two principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.report.base.images import doubt_palette
from medunsup.report.pretrain.neighbours import unit
from medunsup.report.pretrain.sample import ShownSample

SIDE = 480.0
MARGIN = 14.0
FEWEST = 12  # items that t-SNE is asked to lay out
PERPLEXITY = 30.0
MOST_COLOURS = 8
SEED = 0
# Okabe & Ito: told apart without red or green cones.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#8A8F98")
UNKNOWN = "#8A8F98"

Places = NDArray[np.float64]


@dataclass(frozen=True)
class Colouring:
    """What colours mean, in words; a legend of names and colours; a colour for each item.

    Where `is_scale`, the legend is the two ends of a scale from dark to bright.
    """

    words: str
    legend: tuple[tuple[str, str], ...]
    colours: tuple[str, ...]
    is_scale: bool = False


@dataclass(frozen=True)
class FeatureMap:
    """One map: its name, what is to be known of it, and a point (x, y, colour, name) for each item."""

    title: str
    words: str
    points: tuple[tuple[float, float, str, str], ...]
    side: float = SIDE


def feature_maps(sample: ShownSample, colouring: Colouring) -> tuple[FeatureMap, ...]:
    """Lay out a sample: t-SNE if there are enough items, and principal components; none of under three."""
    units = unit(sample.features)
    if len(units) < 3 or np.ptp(units, axis=0).max() < 1e-9:
        return ()
    places, shares = _components(units)
    said = (
        f"The first two principal components hold {100 * shares[0]:.0f} % and {100 * shares[1]:.0f} % of the "
        "variance. Distances mean what they seem to."
    )
    maps = [_map("Principal components", said, places, sample, colouring)]
    if len(units) >= FEWEST:
        near = (
            "Items with like features lie near each other; how far groups lie apart, and how large they "
            "look, means nothing."
        )
        maps.insert(0, _map("t-SNE", near, _embedded(units), sample, colouring))
    return tuple(maps)


def colouring_of(sample: ShownSample) -> Colouring:
    """Colour by label if any is known, by subject if there are few, by the slice's height, by brightness."""
    if sample.labels is not None and (sample.labels >= 0).any():
        return _by_label(sample, sample.labels)
    whose, counts = np.unique(sample.subjects, return_counts=True)
    if 1 < len(whose) <= MOST_COLOURS and counts.max() > 1:
        places = np.searchsorted(whose, sample.subjects)
        first = [int(np.flatnonzero(places == n)[0]) for n in range(len(whose))]
        legend = tuple((sample.names[m], COLOURS[n]) for n, m in enumerate(first))
        return Colouring("subject", legend, tuple(COLOURS[n] for n in places))
    if sample.heights_mm is not None:
        return _by_scale("height of the slice", sample.heights_mm, ("lowest", "highest"))
    return _by_scale("mean intensity", sample.brightness, ("dark", "bright"))


def _by_scale(words: str, values: Places, ends: tuple[str, str]) -> Colouring:
    """Colour from dark blue to yellow, from the least value to the largest."""
    low, high = float(values.min()), float(values.max())
    palette = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in doubt_palette()]
    shares = (values - low) / ((high - low) or 1)
    colours = tuple(palette[round(255 * float(share))] for share in shares)
    return Colouring(words, ((ends[0], palette[0]), (ends[1], palette[-1])), colours, is_scale=True)


def _by_label(sample: ShownSample, labels: NDArray[np.int64]) -> Colouring:
    present = [n for n in range(len(sample.classes)) if (labels == n).any()]
    legend = [(sample.classes[n], COLOURS[n % len(COLOURS)]) for n in present]
    if (labels < 0).any():
        legend.append(("no label", UNKNOWN))
    colours = tuple(UNKNOWN if n < 0 else COLOURS[n % len(COLOURS)] for n in labels)
    return Colouring("label", tuple(legend), colours)


def _components(units: Places) -> tuple[Places, tuple[float, float]]:
    """Scores (N, 2) on the first two principal components, signs fixed, and their shares of the variance."""
    left, values, axes = np.linalg.svd(units - units.mean(axis=0), full_matrices=False)
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    scores, shares = left * values * signs, np.square(values) / np.square(values).sum()
    if scores.shape[1] < 2:
        scores, shares = np.pad(scores, ((0, 0), (0, 1))), np.pad(shares, (0, 1))
    return scores[:, :2], (float(shares[0]), float(shares[1]))


def _embedded(units: Places) -> Places:
    from sklearn.manifold import TSNE

    start = _components(units)[0]
    start = start / (start[:, 0].std() or 1) * 1e-4
    perplexity = min(PERPLEXITY, (len(units) - 1) / 3)
    made = TSNE(perplexity=perplexity, init=start, learning_rate="auto", method="exact", random_state=SEED)
    return np.asarray(made.fit_transform(units), np.float64)


def _map(title: str, words: str, places: Places, sample: ShownSample, colouring: Colouring) -> FeatureMap:
    low, high = places.min(axis=0), places.max(axis=0)
    middle, span = (low + high) / 2, float((high - low).max()) or 1.0
    at = ((places - middle) / span + 0.5) * (SIDE - 2 * MARGIN) + MARGIN
    each = zip(sample.names, sample.places, map(sample.label_of, range(len(sample))), strict=True)
    texts = [", ".join(filter(None, words)) for words in each]
    points = zip(at[:, 0], SIDE - at[:, 1], colouring.colours, texts, strict=True)
    return FeatureMap(
        title,
        words,
        tuple((round(float(x), 1), round(float(y), 1), colour, text) for x, y, colour, text in points),
    )
