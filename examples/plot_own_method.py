"""
Your own method in one file
===========================

A tissue method is a class with two small functions. In a file of its own it is known by name to the
command line, to the list of methods and to the contract tests.
"""

# %%
# Fuzzy c-means, thirty lines. ``_fit`` gets standardised voxels (N, C); ``_probabilities`` gives
# those of each class.
from typing import NamedTuple

import made_up
import numpy as np
from pydantic import Field

from medunsup import register
from medunsup.tissue import TISSUES, Fitted, TextbookConfig, TextbookMethod, TissueInput


class FuzzyConfig(TextbookConfig):
    """Parameters of fuzzy c-means."""

    fuzziness: float = Field(2.0, gt=1, le=4, description="exponent; near 1 memberships are 0 and 1")


class Centres(NamedTuple):
    """What is fitted: the centres of the classes, after so many steps."""

    centres: np.ndarray
    n_iter_: int


@register(
    "fuzzy",
    family="clustering",
    dims=(2, 3),
    paper="Bezdek (1981), Pattern recognition with fuzzy objective function algorithms. Plenum.",
    limit="Clusters of equal width, and no neighbours: noise speckles the labels.",
)
class Fuzzy(TextbookMethod):
    """Fuzzy c-means on intensity."""

    Config = FuzzyConfig

    def _fit(self, sample, n_classes):
        centres = np.quantile(sample, (np.arange(n_classes) + 0.5) / n_classes, axis=0)
        for n_iter in range(1, self.config.max_iter + 1):
            share = self._memberships(sample, centres) ** self.config.fuzziness
            moved = share.T @ sample / share.sum(axis=0)[:, None]
            if np.abs(moved - centres).max() < 1e-5:
                break
            centres, steps = moved, n_iter
        share = self._memberships(sample, centres)
        squares = [share[:, k] @ (sample - centres[k]) ** 2 / share[:, k].sum() for k in range(n_classes)]
        model = Centres(centres, n_iter_=steps)
        return Fitted(model, share.mean(axis=0), centres, np.sqrt(squares), (0.0,), converged=True)

    def _probabilities(self, model, values):
        return self._memberships(values, model.centres)

    def _memberships(self, values, centres):
        distance = np.linalg.norm(values[:, None] - centres, axis=2).clip(1e-9)
        nearness = distance ** (-2 / (self.config.fuzziness - 1))
        return nearness / nearness.sum(axis=1, keepdims=True)


# %%
# It is tried on arrays: which class is which tissue, the maps and the order of labels are none of
# its business.
values, _ = made_up.average(3)
data = TissueInput(values[None], values > 0.1, (3.0, 3.0, 3.0), ("T1w",), TISSUES)
fitted = Fuzzy(Fuzzy.Config(fuzziness=1.6)).fit(data)
print({label.abbreviation: int((fitted.labels_ == label.index).sum()) for label in TISSUES})
made_up.planes({"labels": fitted.labels_, "entropy": fitted.entropy_}, cmap="viridis")

# %%
# Wrong parameters are refused in words, as those of the methods that come with the package.
try:
    Fuzzy.Config(fuzziness=0.5)
except ValueError as error:
    print(error)
