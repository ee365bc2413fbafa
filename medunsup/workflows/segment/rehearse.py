"""A dry run reads every input as the run will, so that what the run would refuse is told beforehand."""

from collections.abc import Sequence
from dataclasses import replace

from medunsup.cohort import reading
from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.further_contrasts import read_contrast, refuse_twice
from medunsup.cohort.plan import Planned
from medunsup.cohort.request import ScanRequest
from medunsup.core.record import Step
from medunsup.workflows.segment.request import SegmentRequest

Plan = Planned[SegmentRequest]


def rehearsed(planned: Sequence[Plan], *, force: bool = False) -> list[Plan]:
    """Return the plan with the status "error", and why, for each scan whose files the run would refuse."""
    return [_rehearsed(item) if _is_to_be_done(item, force) else item for item in planned]


def _is_to_be_done(item: Plan, force: bool) -> bool:
    return item.status in ("new", "other") or (item.status == "done" and force)


def _rehearsed(item: Plan) -> Plan:
    found = attempt(item.request.scan.path, Outcome, lambda: _read(item.request.scan))
    if found.error is None:
        return item
    return replace(item, status="error", why=found.error, is_wrong_use=found.is_wrong_use)


def _read(request: ScanRequest) -> Outcome:
    """Read scan, mask and further contrasts with the run's own checks, and keep nothing."""
    how, step = request.reading, Step("load")
    image = reading.load_scan(request, step)
    refuse_twice(request, reading.told_contrast_of(request, image))
    if request.mask is not None:
        reading.load_mask(request.mask, image, step, how.coordinates)
    for name, path in request.contrasts.items():
        read_contrast(name, path, step, how.coordinates)
    return Outcome(request.path, "done")
