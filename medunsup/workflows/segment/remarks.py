"""What a reader should know of the scan itself and its classes; it changes no verdict."""

from collections.abc import Iterator, Mapping
from typing import Any

from medunsup.core.geometry import Grid, distance_mm
from medunsup.core.labels import TISSUES
from medunsup.core.volume import Volume
from medunsup.preprocess.registration.affine import Registration

# Normalised scans are up to 8 mm off, scans of persons as they came 20 mm and more.
IN_TEMPLATE_SPACE_MM = 12.0


def remarks(
    image: Volume, registration: Registration, selection: Mapping[str, Any] | None = None
) -> Iterator[str]:
    """Say what makes volumes of this scan unlike those of others: the template's space, its own classes.

    `selection` is the choice of their number (`tissue.choose_k.ModelSelection`), if it was not given.
    """
    if selection is not None:
        n = selection["chosen"]
        which = "GM, WM and CSF" if n == len(TISSUES) else "from dark to bright, not tissues by name"
        yield f"{n} classes were fitted ({which}), as the intensities propose: {selection['rule']}."
    if registration.fits and _moves_mm(registration) < IN_TEMPLATE_SPACE_MM:
        yield (
            "The scan lies in MNI space, as after normalisation: its volumes are those of a head the size of "
            "the template, larger than most people's. For a person's own, segment the scan as it came."
        )


def _moves_mm(registration: Registration) -> float:
    """How far the registration moves any point of the template, along any axis."""
    from medunsup.preprocess.geometry.template import load_template

    grid = load_template().mask.grid
    return distance_mm(grid, Grid(grid.shape, registration.template_to_scan @ grid.affine))
