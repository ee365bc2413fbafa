"""The method that was asked for, as what makes it from a number of clusters and a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from medunsup.clustering.base import Clustering
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.registry import method as method_named
from medunsup.core.registry import methods
from medunsup.workflows.cluster.data import ClusterData

DEEP = "deep"


@dataclass(frozen=True)
class Maker:
    """Makes a method that is not fitted: `maker(k, seed)`."""

    name: str
    family: str
    made: Any
    parameters: Mapping[str, Any]

    def __call__(self, k: int, seed: int) -> Clustering:
        """Return the method for k clusters."""
        given = {**self.parameters, "n_clusters": k, "seed": seed}
        checked = self.made.Config.parse(given, where=self.name).model_dump()
        found: Clustering = self.made(**checked)
        return found

    @property
    def is_deep(self) -> bool:
        """Whether it learns features too, which takes long."""
        return self.family == DEEP


def maker(name: str, parameters: Mapping[str, Any], data: ClusterData | None = None) -> Maker:
    """Return what makes a method. UsageError for an unknown one, or data that it does not take."""
    made: Any = method_named("clustering", name)
    family = next(card.family for card in methods("clustering") if card.name == name)
    for key, instead in (("n_clusters", option("k")), ("seed", option("seed"))):
        if key in parameters:
            raise UsageError(f"{key} is no parameter here: give {instead}.")
    found = Maker(name, family, made, dict(parameters))
    found(2, 0)
    if data is not None:
        _check_takes(found, data)
    return found


def _check_takes(found: Maker, data: ClusterData) -> None:
    takes = found.made.takes
    if data.images is not None and "images" not in takes:
        raise UsageError(
            f"{found.name} takes features, and these are images. Name a method that takes images, such as "
            f"{option('method', 'n2d')} or {option('method', 'dec')}, or an encoder of such images with "
            f"{option('encoder')}; of scans, `medunsup embed` takes features, such as pca or volumes."
        )
    if data.images is None and "features" not in takes:
        raise UsageError(f"{found.name} takes images (a .npz file), and this is a table of features.")
