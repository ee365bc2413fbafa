"""Parts of what `cluster` found: figures over seeds, one cluster, a covariate in it, a baseline, the site."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from medunsup.clustering.choosing.null import NullComparison
from medunsup.clustering.harmonise import SiteSignal
from medunsup.metrics.bootstrap import Comparison


@dataclass(frozen=True)
class OverSeeds:
    """A figure of the same method with several seeds, or of several halvings.

    Attributes
    ----------
    mean, sd : float
        Mean and standard deviation; the latter NaN of one value.
    low, high : float
        95 % interval of the mean; NaN of one value. Of halvings it is wider, as they share rows.
    values : tuple of float
        One a seed, or a halving.
    """

    mean: float
    sd: float
    low: float
    high: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class Stability:
    """Whether clusters come again in other rows, beside rows without clusters.

    Attributes
    ----------
    method : str
        Name of the method that was asked; a deep one is too slow, and `gmm` stands in for it.
    k : int
        Number of clusters that it was measured at.
    halves : OverSeeds
        Agreement (adjusted Rand index) of clusterings of two random halves.
    nulls : tuple of NullComparison
        The same on rows without clusters; empty where there are too few rows.
    seeds : OverSeeds or None
        Agreement of the clusters of all rows between seeds; None of one seed.
    n_compared : int
        Rows that were compared; fewer than all where these are very many.
    """

    method: str
    k: int
    halves: OverSeeds | None
    nulls: tuple[NullComparison, ...]
    seeds: OverSeeds | None
    n_compared: int

    @property
    def p(self) -> float:
        """Chance of clusters as stable, or as tight, in one Gaussian; NaN where it was not compared."""
        return self.nulls[0].p if self.nulls else float("nan")


@dataclass(frozen=True)
class OneCluster:
    """One cluster.

    Attributes
    ----------
    label : int
        Its number in the table, from 0, the largest first.
    n : int
        Rows in it.
    share : float
        Share of all rows.
    exemplars : tuple of int
        Rows that are most typical of it, the most typical first.
    outliers : tuple of int
        Rows in it that are least typical, the least typical first; only those at 0.05 or below.
    profile : dict of str to float
        Mean of each feature in it, in standard deviations of all rows from their mean; those that differ most
        first.
    """

    label: int
    n: int
    share: float
    exemplars: tuple[int, ...]
    outliers: tuple[int, ...]
    profile: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CovariateEffect:
    """How a covariate, or one word of it, differs between a cluster and all other rows.

    Attributes
    ----------
    covariate : str
        Its name.
    level : str
        The word that is compared, such as "F"; empty of numbers, and of Cramer's V.
    cluster : int or None
        The cluster; None for Cramer's V, which is of all clusters together.
    kind : {'standardised mean difference', 'risk difference', "Cramer's V"}
        What `value` is: of numbers the first, of words the second for each word and the third over all.
    inside, outside : float
        Mean, or share of the word, in the cluster and outside of it; NaN for Cramer's V.
    value, low, high : float
        The effect and its 95 % interval over rows, or subjects: of a risk difference from beta distributions,
        else by bootstrap; NaN of a mean difference with fewer than six on a side.
    n : int
        Rows of which the covariate is known, or subjects where several rows have one.
    """

    covariate: str
    level: str
    cluster: int | None
    kind: Literal["standardised mean difference", "risk difference", "Cramer's V"]
    inside: float
    outside: float
    value: float
    low: float
    high: float
    n: int

    @property
    def is_there(self) -> bool:
        """Whether the interval leaves zero out; for Cramer's V it always does."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class SiteFinding:
    """What the scanner, or site, has to do with the clusters.

    Attributes
    ----------
    column : str
        Covariate that names the site.
    is_harmonised : bool
        Whether features were harmonised by it.
    signal : SiteSignal or None
        How well a classifier tells the site of held-out rows, before and after ComBat.
    clusters : dict of int to str
        Clusters that are a site: each with the name of its site.
    why_not : str
        Why the classifier could not be asked, such as sites with too few rows; else empty.
    """

    column: str
    is_harmonised: bool
    signal: SiteSignal | None
    clusters: Mapping[int, str] = field(default_factory=dict)
    why_not: str = ""


@dataclass(frozen=True)
class Baseline:
    """Another method on the same rows with the same seeds and number of clusters.

    Attributes
    ----------
    name : str
        'kmeans', 'pca + gmm' or 'umap + gmm'.
    figures : dict of str to OverSeeds
        As those of the method.
    comparisons : dict of str to Comparison
        The method less the baseline, paired by seeds (with known classes) or halvings (stability).
    """

    name: str
    figures: Mapping[str, OverSeeds]
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)
