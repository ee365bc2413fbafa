"""What was found of clusters, in short sentences."""

from medunsup.cohort.clusters import decided
from medunsup.cohort.clusters.parts import Baseline, OverSeeds, SiteFinding
from medunsup.cohort.clusters.result import ClusterResult

FIRST = 5  # covariates
OF_FIGURE = {
    "accuracy": "accuracy",
    "nmi": "NMI",
    "ari": "adjusted Rand index",
    "silhouette": "silhouette",
    "smallest": "share of the smallest cluster",
    "stability": "stability of halves",
}


def sentences(result: ClusterResult) -> list[str]:
    """Say sizes, stability, figures, baselines, covariates and site."""
    sizes = ", ".join(str(one.n) for one in result.clusters)
    n_noise = int((result.labels < 0).sum())
    rows = "1 row" if len(result.labels) == 1 else f"{len(result.labels)} rows"
    said = [f"{rows} by {result.method}: {sizes}" + f", {n_noise} in none" * bool(n_noise)]
    stability = result.stability
    if stability is not None and stability.halves is not None:
        said.append(f"stability of halves at {stability.k} clusters: {_figure(stability.halves)}")
    said += decided.sentences(result.choice)
    if result.k > 1:
        said += [f"{OF_FIGURE[name]}: {_figure(of)}" for name, of in result.figures.items()]
    said += [sentence for one in result.baselines for sentence in _baseline(one)]
    said += covariates(result)
    if result.site is not None:
        said += _site(result.site)
    return said


def covariates(result: ClusterResult) -> list[str]:
    """Say which covariates differ between clusters, the largest effects first."""
    told = (
        [0] if result.k == 2 and (result.labels >= 0).all() else range(result.k)
    )  # of two, each says the same
    there = sorted(
        (one for one in result.effects if one.cluster in told and one.is_there),
        key=lambda one: -abs(one.value),
    )
    said = []
    for one in there[:FIRST]:
        what = f"{one.covariate} = {one.level}" if one.level else one.covariate
        said.append(
            f"cluster {one.cluster}: {what} {one.inside:.3g}, outside {one.outside:.3g} ({one.kind} "
            f"{one.value:+.2f}, {one.low:+.2f} to {one.high:+.2f})"
        )
    return said


def _baseline(one: Baseline) -> list[str]:
    said = []
    for name, of in one.comparisons.items():
        low, high = of.difference.low, of.difference.high
        ends = (
            f" ({low:+.3f} to {high:+.3f}), {of.verdict}" if low == low else ", of one seed: too few to tell"
        )
        said.append(f"{OF_FIGURE[name]} beside {one.name}: {of.difference.value:+.3f}{ends}")
    return said


def _site(site: SiteFinding) -> list[str]:
    if site.signal is None:
        return [site.why_not] if site.why_not else []
    before, after = site.signal.before, site.signal.after
    return [
        f"{site.column} told from features: {before.value:.2f} ({before.low:.2f} to {before.high:.2f}), "
        f"harmonised {after.value:.2f} ({after.low:.2f} to {after.high:.2f}); chance "
        f"{site.signal.chance:.2f}"
    ]


def _figure(of: OverSeeds) -> str:
    if len(of.values) < 2:
        return f"{of.mean:.3f}"
    return f"{of.mean:.3f} (sd {of.sd:.3f})"
