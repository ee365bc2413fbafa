"""DICOM files of many scans: refused before a run if they cannot be had, written after it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from medunsup.cohort.batch import AnyOutcome, CohortResult, naming
from medunsup.cohort.dicom.reference import DicomForm, check_form, check_series
from medunsup.cohort.patterns import check_patterns, fill
from medunsup.cohort.plan import Asked
from medunsup.core.errors import MedunsupError, is_wrong_use

AnyAsked = TypeVar("AnyAsked", bound=Asked)
WriteOne = Callable[[AnyAsked, Path | None, DicomForm], Mapping[str, Path]]


def check_many(
    requests: Sequence[Asked], dicom: DicomForm | None, reference: str | Path | None = None
) -> None:
    """Raise UsageError if DICOM files that are asked for cannot be had; `reference` may be a pattern."""
    check_form(dicom, reference)
    check_patterns([] if reference is None else [reference], len(requests))
    for request in requests if dicom is not None else ():
        check_series(request.scan.path, series_of(request, reference))


def series_of(request: Asked, reference: str | Path | None) -> Path | None:
    """Return the series that a scan was converted from, its placeholders filled in."""
    return None if reference is None else fill(reference, request.scan.path)


def write_many(
    result: CohortResult[AnyOutcome],
    requests: Sequence[AnyAsked],
    write_one: WriteOne[AnyAsked],
    dicom: DicomForm,
    reference: str | Path | None = None,
) -> CohortResult[AnyOutcome]:
    """Write the DICOM files of each scan that has its result, and add them to its outputs.

    A scan whose files cannot be written becomes an error that says why; its other results stay.
    """
    asked = {request.scan.path: request for request in requests}
    scans = []
    for outcome in result.scans:
        request = asked[outcome.scan]
        if outcome.status in ("done", "skipped"):  # else a result that is there may be of another scan
            try:
                made = write_one(request, series_of(request, reference), dicom)
                outcome = replace(outcome, outputs={**outcome.outputs, **made})
            except MedunsupError as error:
                told, wrong_use = naming(outcome.scan, str(error)), is_wrong_use(error)
                outcome = replace(outcome, status="error", error=told, is_wrong_use=wrong_use)
        scans.append(outcome)
    return replace(result, scans=tuple(scans))
