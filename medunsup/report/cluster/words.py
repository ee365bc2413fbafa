"""What the page of clusters says in words: the tone of the verdict, three numbers, what may not be read."""

from medunsup.cohort.clusters.result import ClusterResult
from medunsup.report.base.headline import Headline
from medunsup.report.base.numbers import significant
from medunsup.report.base.text import Shown

UNLIKE = 0.05
OF_ALL = (
    "A cluster is no disease, no diagnosis and no subtype: it says which rows are alike in these features.",
    "That a covariate differs between clusters names no cause. Effects are not corrected for one another, "
    "nor for how many there are.",
    "Rows were clustered by the same features that describe them: that features differ between clusters is "
    "no finding.",
    "Intervals over seeds tell how much the method varies on these rows, nothing of other people's rows.",
)
OF_SITE = (
    "Without harmonising, clusters may be scanners; after it, what goes with the scanner is lost as well."
)
NO_SITE = (
    "No column names the site or scanner: whether clusters are scanners could not be looked at. They are the "
    "first to be suspected."
)
NONE_FOUND = (
    "That no clusters were found does not show that there are none: few rows hide groups that overlap."
)
OF_NEW = (
    "New rows are assigned to the nearest clusters whether they belong there or not; look at typicality.",
)


def tone(result: ClusterResult) -> tuple[Shown, str]:
    """Return the tone of the verdict and its sign."""
    if is_new(result):
        return "partial", "–"
    if result.site is not None and result.site.clusters:
        return "check", "!"
    if result.is_found:
        return "pass", "✓"
    return ("check", "!") if result.k > 1 else ("partial", "–")


def headline(result: ClusterResult) -> list[Headline]:
    """Name the three numbers of the first screen."""
    n = len(result.labels)
    least = int((result.typicality <= UNLIKE).sum())
    unlike = Headline("Unlike their cluster", str(least), "rows", "typicality of 0.05 or below")
    if is_new(result):
        fitted = str(result.about.get("fitted_rows", ""))
        return [Headline("New rows", str(n), "", "assigned"), Headline("Fitted rows", fitted, "", ""), unlike]
    found = result.choice.k if result.choice is not None else None
    clusters = Headline("Clusters found", "–" if found is None else str(found), "", _asked(result))
    return [clusters, _stable(result) or Headline("Rows", str(n), "", ""), unlike]


def limits(result: ClusterResult) -> list[str]:
    """List what may not be read from these clusters."""
    if is_new(result):
        return [*OF_NEW, OF_ALL[0]]
    site = OF_SITE if result.site is not None else NO_SITE
    is_none = result.k == 1 and not result.is_found
    return [*((NONE_FOUND,) if is_none else ()), *OF_ALL, site]


def is_new(result: ClusterResult) -> bool:
    """Whether rows were assigned to clusters found before."""
    return "model" in result.about and result.choice is None


def _asked(result: ClusterResult) -> str:
    asked = result.about.get("asked", "auto")
    if result.choice is None:
        return f"{result.k} were asked for; rows are too few to tell"
    if asked == "auto":
        return "by the rule below, 1 means none"
    return f"by the rule below, 1 means none; {asked} were asked for"


def _stable(result: ClusterResult) -> Headline | None:
    stability = result.stability
    if stability is None or stability.halves is None:
        return None
    p = (
        ""
        if stability.p != stability.p
        else f"; one Gaussian is as stable or as tight with p = {significant(stability.p, 2)}"
    )
    return Headline(
        "Stability of halves",
        f"{stability.halves.mean:.2f}",
        "",
        f"adjusted Rand index at {stability.k} clusters, 1 is all{p}",
    )
