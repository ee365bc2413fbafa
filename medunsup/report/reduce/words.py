"""What a map says in words, and what may not be read from it."""

from medunsup.cohort.maps.result import MapFigures, ReductionResult

UNLIKE = 0.05
TRUST = "neighbours on the map that are neighbours in the features; 1 is all"
CONTINUITY = "neighbours in the features that are neighbours on the map; 1 is all"
NEIGHBOUR_MAPS = ("tsne", "umap")
OF_NEIGHBOURS = (
    "The distance between two groups means little: groups that lie far apart may be as alike as those that "
    "touch.",
    "The size of a group and how densely it is drawn mean little: both are made even.",
    "Groups appear in plain noise as well. A group on this map is no finding; whether there are any is to be "
    "asked of the features.",
    "Another seed, number of neighbours or perplexity draws another picture.",
)
OF_ALL = (
    "Two axes hold only a part of many features: rows that lie together may differ in what is not shown.",
    "Axes have no direction that means more or less health, and no unit of the scans.",
    "Colours are drawn after the fit; a covariate that follows the map need not be its cause. Site and "
    "scanner are the first to be looked at.",
)
OF_PLACED = (
    "New rows lie between their nearest fitted rows, so even a row unlike all of them lies inside the map. "
    "The column typicality of map.tsv tells such rows.",
)


def title(result: ReductionResult) -> str:
    """Put the map into one line."""
    n = len(result.places)
    if result.background is not None:
        return f"{n} new rows on a map by {result.method}"
    return f"{n} rows by {result.method}: {figures_of(result.figures)}"


def figures_of(figures: MapFigures | None) -> str:
    """Write both figures of a map."""
    if figures is None:
        return ""
    return f"trustworthiness {figures.trustworthiness:.3f}, continuity {figures.continuity:.3f}"


def sentences(result: ReductionResult) -> list[str]:
    """Say what the figures mean for this map."""
    figures, pca = result.figures, result.pca_figures
    if figures is None:
        return ["The map was made before and stays what it is; each new row was placed alone."]
    found = [f"Both were taken over the {figures.neighbours} nearest neighbours of each distinct row."]
    if pca is not None:
        better = figures.trustworthiness - pca.trustworthiness
        said = "more" if better > 0 else "no more"
        found.append(
            f"Its neighbours can be trusted {said} than those of two principal components "
            f"({pca.trustworthiness:.3f})."
        )
    if figures.explained:
        shares = ", ".join(f"{100 * share:.0f} %" for share in figures.explained)
        found.append(f"Share of the variance along each axis: {shares}.")
    return found


def limits(result: ReductionResult) -> list[str]:
    """List what may not be read from this map."""
    is_between = result.about.get("placement") == "neighbours" and result.background is not None
    return [
        *(OF_NEIGHBOURS if result.method in NEIGHBOUR_MAPS else ()),
        *OF_ALL,
        *(OF_PLACED if is_between else ()),
    ]
