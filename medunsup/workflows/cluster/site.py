"""What the site, or scanner, has to do with clusters."""

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.harmonise import site_signal
from medunsup.cohort.clusters.parts import SiteFinding
from medunsup.cohort.dataset.health import is_nothing
from medunsup.core.errors import ArrayError, UsageError
from medunsup.core.hints import option
from medunsup.workflows.cluster.data import ClusterData
from medunsup.workflows.cluster.described import confounded_with, sites_of
from medunsup.workflows.cluster.settings import ClusterSettings

NAMES = ("site", "scanner", "centre", "center", "manufacturer")
FEWEST = 4  # rows of a site, for a classifier to be asked about it


def site_column(data: ClusterData, settings: ClusterSettings) -> str | None:
    """Return the column that names the site: the one that is harmonised, or one called so."""
    if settings.harmonise:
        return settings.harmonise
    columns = data.table.covariates
    return next((name for name in columns if name.casefold() in NAMES and len(set(columns[name])) > 1), None)


def about_sites(data: ClusterData, settings: ClusterSettings) -> list[str]:
    """Say what harmonising cannot do here. Raises UsageError for a site that is not known somewhere."""
    column = settings.harmonise
    if column is None:
        return []
    sites = data.table.column(column)
    unknown = next((row for row, site in enumerate(sites) if is_nothing(site)), None)
    if unknown is not None:
        raise UsageError(
            f"{option('harmonise', column)}: the site of {data.table.label(unknown)} is not known "
            f"({sites[unknown]!r}). Fill it, or leave the row out."
        )
    if column in settings.covariates:
        raise UsageError(f"{column!r} is the site: leave it out of {option('covariates')}.")
    lost = confounded_with(sites, data.table, column)
    return [
        f"Every {column} has one {name} alone: harmonising takes out what {name} does as well, and clusters "
        "say nothing of it. Only rows of both kinds in one site could."
        for name in lost
        if name not in settings.covariates
    ]


def site_finding(
    data: ClusterData, settings: ClusterSettings, labels: NDArray[np.int64], k: int
) -> SiteFinding | None:
    """Ask a classifier for the site before and after harmonising, and name clusters that are a site."""
    column = site_column(data, settings)
    if column is None:
        return None
    sites = data.table.column(column)
    signal, why_not = None, ""
    if settings.harmonise:
        kept = data.kept(settings.covariates)
        try:
            signal = site_signal(
                data.values, sites, covariates=kept or None, groups=data.groups, seed=settings.seed
            )
        except ArrayError as error:
            why_not = f"Whether features tell {column} was not asked: {error}"
    clusters = sites_of(labels, k, sites, settings.seed, data.subjects)
    return SiteFinding(column, settings.harmonise is not None, signal, clusters, why_not)
