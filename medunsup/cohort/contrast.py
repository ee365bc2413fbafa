"""Which contrast a scan has: as told, from its header or name, or from how bright the tissues are."""

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.request import Request
from medunsup.core.errors import UsageError
from medunsup.core.record import Step
from medunsup.core.volume import Source
from medunsup.io.bids.names import Contrast, contrast_of_name

ASSUMPTION = "assumption"
SURE = 0.8
ENOUGH_VOXELS = 100
ORDER = {("WM", "GM", "CSF"): "T1w", ("CSF", "GM", "WM"): "T2w", ("GM", "WM", "CSF"): "FLAIR"}


def name_contrasts(
    request: Request,
    source: Source | None,
    intensity: NDArray[np.float32],
    priors: NDArray[np.float32] | None,
    step: Step,
) -> tuple[str, ...]:
    """Give each channel its contrast's name: the scan's own first, then the further ones as given.

    `intensity` (I, J, K) is the scan's own; `priors` (3, I, J, K) are GM, WM, CSF. How it was decided, and
    whether the intensities contradict the name, goes into `step`.
    """
    seen = contrast_of_intensity(intensity, priors) if priors is not None else None
    opinions = {**_told(request, source), "intensities": seen, ASSUMPTION: "T1w"}
    reason, chosen = next((reason, name) for reason, name in opinions.items() if name)
    _refuse_twice(request, chosen, reason)
    step.findings |= {"contrast": chosen, "from": reason}
    if seen and (chosen == "T1w") != (seen == "T1w"):
        step.warn(
            f"The scan is taken as {chosen} ({reason}), but its tissues are as bright as in {seen}. If it is "
            f"{seen}, say --contrast {seen}; if not, look at the labels before using the volumes."
        )
    if reason == ASSUMPTION:
        step.warn("The contrast could not be told; T1w is assumed. Say --contrast if it is another.")
    return (str(chosen), *request.contrasts)


def check_told_once(request: Request, source: Source | None) -> None:
    """Raise UsageError if what the user, the header or the name calls the scan is given beside it as well."""
    reason, told = next(((reason, name) for reason, name in _told(request, source).items() if name), ("", ""))
    _refuse_twice(request, told, reason)


def _refuse_twice(request: Request, chosen: str, reason: str) -> None:
    if chosen in request.contrasts:
        raise UsageError(
            f"{request.scan}: is taken as {chosen} itself ({reason}), and {request.contrasts[chosen].name} "
            f"is given as {chosen} beside it. Leave out --with {chosen}, or say what they are: --contrast "
            "for the scan, the word after --with for the other."
        )


def told_contrast(request: Request, source: Source | None) -> str | None:
    """Name the contrast that the user, the header or the file's name tells; None where none of them does."""
    return next((str(name) for name in _told(request, source).values() if name), None)


def _told(request: Request, source: Source | None) -> dict[str, str | None]:
    asked = request.settings.contrast
    return {
        "option": None if asked == "auto" else asked,
        "header": source.notes.get("contrast") if source else None,
        "file name": contrast_of_name(request.scan.name),
    }


def contrast_of_intensity(intensity: NDArray[np.float32], priors: NDArray[np.float32]) -> Contrast | None:
    """Tell T1w, T2w or FLAIR by the order of the tissues' medians, or None if it is another order.

    Medians are taken where the prior is at least 0.8 sure. A lone PD scan cannot be told from T2w.
    """
    is_sure = priors >= SURE
    if any(int(sure.sum()) < ENOUGH_VOXELS for sure in is_sure):
        return None
    medians = zip(("GM", "WM", "CSF"), (float(np.median(intensity[sure])) for sure in is_sure), strict=True)
    bright_to_dark = sorted(medians, key=lambda item: -item[1])
    return ORDER.get(tuple(name for name, _ in bright_to_dark))  # type: ignore[arg-type,return-value]
