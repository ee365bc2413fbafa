"""The data card of clusters: who is in their table, and what they must not be used for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medunsup.cohort.clusters.result import ClusterResult
from medunsup.metrics.confounding import MISSING

MOST_WORDS = 20
FEATURES_NAMED = 12
FORBIDDEN = (
    "diagnosis, treatment or any decision about a person: a cluster is no disease and no subtype",
    "rows of other scanners, sites, ages or features than those above: they are assigned to the nearest "
    "cluster all the same; look at `typicality`",
    "being given away more freely than the table itself: `model.safetensors` holds the features of its rows",
)


def data_card(result: ClusterResult, attributes: Mapping[str, Any], kept: Sequence[str] = ()) -> str:
    """Write the card in Markdown, fields first; `attributes` say how the table was made.

    `kept` are covariates whose effect harmonising kept. It holds counts and summaries alone, no row.
    """
    n, about = len(result.labels), result.about
    subjects = result.keys.get("subject", ())
    site = _site(result)
    fields = {
        "name": f"rows behind clusters by {result.method}",
        "rows": n,
        "subjects": len({word for word in subjects if word}) if any(subjects) else "not named",
        "features": len(result.names) or about.get("features", ""),
        "site": site or "not named",
        "harmonised_by": about.get("harmonise") or "nothing",
    }
    parts = [
        "---",
        *(f"{key}: {value}" for key, value in fields.items()),
        "---",
        "",
        "# Who these clusters were made of",
        "",
        f"{result.verdict}",
        "",
        *_sites(result, site),
        *_covariates(result, site),
        *_features(result, attributes),
        "## Harmonising",
        "",
        _harmonised(about.get("harmonise"), kept, site),
        "",
        "## What it must not be used for",
        "",
        *(f"- {line}." for line in FORBIDDEN),
        "",
    ]
    return "\n".join(parts)


def _site(result: ClusterResult) -> str:
    return result.site.column if result.site is not None else ""


def _sites(result: ClusterResult, site: str) -> list[str]:
    if not site:
        return ["## Sites", "", "No column names the site or scanner of a row.", ""]
    cells = result.covariates.get(site, result.keys.get(site, ()))
    return ["## Sites", "", f"{site}: {_counted(cells)}.", ""]


def _covariates(result: ClusterResult, site: str) -> list[str]:
    columns = {name: cells for name, cells in result.covariates.items() if name != site}
    lines = ["## Covariates", ""]
    if not columns:
        return [*lines, "The table has none.", ""]
    return [*lines, *(f"- {name}: {_said(cells)}" for name, cells in columns.items()), ""]


def _said(cells: Sequence[str]) -> str:
    known = [cell.strip() for cell in cells if cell.strip().lower() not in MISSING]
    lost = f"; not known of {len(cells) - len(known)}" if len(known) < len(cells) else ""
    if not known:
        return "not known of any row"
    try:
        numbers = np.array(known, np.float64)
    except ValueError:
        return _counted(known) + lost
    if len(set(known)) <= 2:
        return _counted(known) + lost
    return (
        f"mean {numbers.mean():.4g}, standard deviation {numbers.std():.4g}, from {numbers.min():.4g} to "
        f"{numbers.max():.4g}{lost}"
    )


def _counted(cells: Sequence[str]) -> str:
    counts = Counter(cell.strip() or "not known" for cell in cells)
    if len(counts) > MOST_WORDS or 2 * len(counts) > max(4, len(cells)):  # such words may name people
        return f"{len(counts)} different words"
    return ", ".join(f"{word} ({n})" for word, n in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _features(result: ClusterResult, attributes: Mapping[str, Any]) -> list[str]:
    lines = ["## Features", ""]
    if not result.names:
        return [*lines, "Voxels of images.", ""]
    more = len(result.names) - FEATURES_NAMED
    named = ", ".join(result.names[:FEATURES_NAMED]) + (f" and {more} more" if more > 0 else "")
    spacing = attributes.get("spacing_mm")
    made = f" Taken by `medunsup embed` from scans on a grid of {spacing:g} mm." if spacing else ""
    return [*lines, f"{named}.{made}", ""]


def _harmonised(column: str | None, kept: Sequence[str], site: str) -> str:
    if column:
        effects = f" The effects of {', '.join(kept)} were kept." if kept else ""
        return f"Offset and spread of each {column} were taken out (ComBat).{effects}"
    if site:
        return f"Nothing was taken out: what goes with {site} is in the clusters."
    return "Nothing was taken out, and scanners are not known: clusters may be scanners."
