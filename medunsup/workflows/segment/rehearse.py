"""A dry run reads every input as the run will, so that what the run would refuse is told beforehand."""

from collections.abc import Sequence
from dataclasses import replace

from medunsup.cohort import reading
from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.contrast import check_told_once
from medunsup.cohort.further_contrasts import read_contrast
from medunsup.cohort.plan import Planned
from medunsup.cohort.request import Request
from medunsup.core.record import Step


def rehearsed(planned: Sequence[Planned[Request]], *, force: bool = False) -> list[Planned[Request]]:
    """Return the plan with the status "error", and why, for each scan whose files the run would refuse."""
    return [_rehearsed(item) if _is_to_be_done(item, force) else item for item in planned]


def _is_to_be_done(item: Planned[Request], force: bool) -> bool:
    return item.status in ("new", "other") or (item.status == "done" and force)


def _rehearsed(item: Planned[Request]) -> Planned[Request]:
    found = attempt(item.request.scan, Outcome, lambda: _read(item.request))
    if found.error is None:
        return item
    return replace(item, status="error", why=found.error, is_wrong_use=found.is_wrong_use)


def _read(request: Request) -> Outcome:
    """Read scan, mask and further contrasts with the run's own checks, and keep nothing."""
    settings, step = request.settings, Step("load")
    image = reading.load_scan(request.scan, settings, step)
    check_told_once(request, image.source)
    if request.mask is not None:
        reading.load_mask(request.mask, image, step, settings.coordinates)
    for name, path in request.contrasts.items():
        read_contrast(name, path, step, settings.coordinates)
    return Outcome(request.scan, "done")
