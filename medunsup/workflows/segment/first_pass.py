"""The first pass of --learn-prior: segment every scan, and give each the mean of the others as its prior."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from medunsup.cohort.executors.base import Executor, Work
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.labels import TISSUES
from medunsup.workflows.segment.cohort_prior import (
    STEPS,
    fingerprint,
    in_template_space,
    made_from,
    mean_with_template,
    read_counts,
    write_maps,
)
from medunsup.workflows.segment.outputs import PRIOR
from medunsup.workflows.segment.request import SegmentRequest

MIN_SCANS = 4


@dataclass(frozen=True)
class FirstPass:
    """One scan of the first pass, and where its maps in template space go."""

    request: SegmentRequest
    maps: Path


def check_learnable(requests: Sequence[SegmentRequest]) -> None:
    """Raise UsageError unless a prior can be learned: enough scans, three tissues, a folder for it."""
    if len(requests) < MIN_SCANS:
        raise UsageError(
            f"{option('learn_prior', True)} needs at least {MIN_SCANS} scans, got {len(requests)}."
        )
    if any(request.names.root is None for request in requests):
        raise UsageError(
            f"{option('learn_prior', True)} keeps what it learns in one folder with the results, "
            f"but these go beside each scan: say where with {option('out')}."
        )
    if requests[0].settings.tissues != len(TISSUES):
        raise UsageError(
            f"{option('learn_prior', True)} is for the three tissues: leave out {option('tissues')}."
        )


def learn(
    requests: Sequence[SegmentRequest],
    *,
    executor: Executor,
    progress: Callable[[Path, str], None],
    passed: Callable[[Path], None] | None = None,
) -> list[SegmentRequest]:
    """Return the requests with their learned priors; a scan whose first pass failed has none.

    What is there already from the same inputs and choices is not done again. `progress` hears (scan, step),
    `passed` each scan whose first pass has ended.
    """
    passes = [_first_pass(request) for request in requests]
    done = set()
    for index, is_done in _run(passes, executor, progress):
        if is_done:
            done.add(index)
        if passed is not None:
            passed(requests[index].scan.path)
    if len(done) < MIN_SCANS:
        return list(requests)
    total = reduce(np.add, (read_counts(passes[index].maps) for index in sorted(done)))
    learned = []
    for index, request in enumerate(requests):
        if index in done:
            others = (total - read_counts(passes[index].maps)) / np.float32(STEPS)
            request = replace(request, prior=write_maps(_prior_path(request), mean_with_template(others)))
        learned.append(request)
    return learned


def with_known_prior(request: SegmentRequest) -> SegmentRequest:
    """Attach the prior of an earlier run, if there is one, so that its result is known again."""
    if not request.settings.learn_prior or request.prior or not _prior_path(request).exists():
        return request
    return replace(request, prior=_prior_path(request))


def do_first_pass(first: FirstPass, say: Callable[[str], None]) -> bool:
    """Segment one scan and keep its maps in template space; False if that failed.

    The error itself is told when the second pass meets it again.
    """
    from medunsup.workflows.segment.scan import segment_scan

    try:
        identity = fingerprint(first.request.identity())
        if made_from(first.maps) != identity:
            result = segment_scan(first.request, progress=lambda text: say(f"first pass, {text}"))
            if result.registration is None or not result.registration.fits:
                return False
            write_maps(first.maps, in_template_space(result, result.registration), identity)
    except Exception:  # noqa: BLE001 - one broken scan must not end the others
        return False
    return True


def _run(
    passes: Sequence[FirstPass], executor: Executor, progress: Callable[[Path, str], None]
) -> Iterator[tuple[int, bool]]:
    def told(index: int, text: str) -> None:
        progress(passes[index].request.scan.path, text)

    labels = [str(first.request.scan.path) for first in passes]
    work = Work(do_first_pass, passes, labels, passes[0].request.names.root)
    for index, is_done in executor.run(work, told):
        yield index, is_done is True  # not if it was lost


def _first_pass(request: SegmentRequest) -> FirstPass:
    plain = replace(request, settings=request.settings.model_copy(update={"learn_prior": False}))
    return FirstPass(plain, _folder(request) / f"{request.names.stem}_maps.npz")


def _prior_path(request: SegmentRequest) -> Path:
    return _folder(request) / f"{request.names.stem}_prior.npz"


def _folder(request: SegmentRequest) -> Path:
    return request.names.path(PRIOR) / request.scan.subfolder
