"""Do the two halves of the brain hold the same tissues? Each place against its mirror place."""

import numpy as np
from scipy import ndimage

from medunsup.tissue.quality.sample import Atlas, Sample

CELL_MM = 4.0
SMOOTHING_MM = 10.0
EDGES_MM = tuple(np.arange(low, high, CELL_MM) for low, high in ((-96, 97), (-136, 105), (-96, 117)))
DIFFERENT = 0.2
ENOUGH = 0.6  # of the median; what holds less brain lies at its boundary


def of_symmetry(sample: Sample, atlas: Atlas) -> dict[str, float]:
    """Share of the brain where more than a fifth of the tissue is not as at the mirror place, in percent.

    Labels are counted in template space, where x = 0 is the middle, and smoothed beyond what sulci differ.
    """
    places = atlas.position_mm[:, sample.mask].T
    labels = np.unique(sample.labels)
    counts = np.stack([np.histogramdd(places[sample.labels == n], EDGES_MM)[0] for n in labels])
    spread = ndimage.gaussian_filter(counts, (0, *[SMOOTHING_MM / CELL_MM] * 3))
    brain = spread.sum(axis=0)
    is_brain = brain > ENOUGH * np.median(brain[counts.any(axis=0)])
    is_on_both = is_brain & is_brain[::-1]
    shares = spread / np.maximum(brain, 1e-9)
    difference = np.abs(shares - shares[:, ::-1]).sum(axis=0)[is_on_both] / 2
    return {"asymmetry_percent": 100 * float(np.mean(difference > DIFFERENT))} if difference.size else {}
