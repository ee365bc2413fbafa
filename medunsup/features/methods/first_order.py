"""First-order statistics of the intensities, in the brain and in each tissue."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError
from medunsup.core.registry import register
from medunsup.features.base import TISSUES, Feature, FeatureInput, Floats

PERCENTILES = (5, 25, 50, 75, 95)
LEAST_VOXELS = 8
FLOOR = 1e-12


class FirstOrderConfig(Config):
    """There is nothing to choose."""


@register(
    "first_order",
    family="intensity",
    dims=(3,),
    paper="Zwanenburg et al. (2020), The image biomarker standardization initiative. Radiology 295(2).",
    limit="Voxels of two tissues count for the one that they hold more of, so borders blur the tails.",
)
class FirstOrder(Feature):
    """Mean, standard deviation, skewness, kurtosis and percentiles of the brain, GM, WM and CSF.

    On the healthy scale of the scan's contrast. Kurtosis is in excess of the normal distribution's.

    Parameters
    ----------
    config : FirstOrderConfig, optional
        There is nothing to choose.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features import FeatureInput, FirstOrder
    >>> draw = np.random.default_rng(0)
    >>> fractions = np.eye(3)[draw.integers(0, 3, (6, 6, 6))].transpose(3, 0, 1, 2)
    >>> scan = FeatureInput(draw.random((1, 6, 6, 6)), np.ones((6, 6, 6), bool), 1.0, fractions)
    >>> found = dict(zip(FirstOrder().describe(), FirstOrder().transform(scan)))
    >>> bool(found["GM_p05"] < found["GM_p50"] < found["GM_p95"])
    True
    """

    Config = FirstOrderConfig
    needs_tissues = True

    def describe(self) -> dict[str, str]:
        """Return the name of each number and how it is made."""
        of = {
            "mean": "mean",
            "sd": "standard deviation",
            "skewness": "skewness",
            "kurtosis": "excess kurtosis",
            **{f"p{percent:02d}": f"percentile {percent}" for percent in PERCENTILES},
        }
        parts = {"brain": "the brain", **{name: f"voxels that are {name} most of all" for name in TISSUES}}
        return {
            f"{part}_{name}": f"{what} of the intensities of {where}"
            for part, where in parts.items()
            for name, what in of.items()
        }

    def _values(self, scan: FeatureInput) -> ArrayLike:
        assert scan.fractions is not None
        values = scan.values[0][scan.mask].astype(np.float64)
        tissue: NDArray[np.intp] = scan.fractions[:, scan.mask].argmax(axis=0)
        found = [_statistics(values, "brain")]
        found += [_statistics(values[tissue == n], name) for n, name in enumerate(TISSUES)]
        return np.concatenate(found)


def _statistics(values: Floats, name: str) -> Floats:
    if len(values) < LEAST_VOXELS:
        raise ArrayError(f"first_order: the scan has {len(values)} voxels of {name}, too few to tell.")
    centred = values - values.mean()
    sd = values.std()
    is_flat = sd <= FLOOR
    skewness, kurtosis = (
        (0.0, 0.0) if is_flat else ((centred**3).mean() / sd**3, (centred**4).mean() / sd**4 - 3)
    )
    return np.array([values.mean(), sd, skewness, kurtosis, *np.percentile(values, PERCENTILES)])
