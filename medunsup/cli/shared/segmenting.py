"""What `segment` and `bids` share: the choices of a segmentation, and working through its scans."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from medunsup.cli.shared.executor_options import Where
from medunsup.cli.shared.options import Running, Segmenting, Telling
from medunsup.cli.shared.printing import print_forecast, print_result
from medunsup.cli.shared.progress import display
from medunsup.cli.shared.settings import read_settings

if TYPE_CHECKING:
    from medunsup.cohort.batch import CohortResult
    from medunsup.workflows.segment.outcome import ScanOutcome
    from medunsup.workflows.segment.request import SegmentRequest
    from medunsup.workflows.segment.settings import SegmentSettings

    After = Callable[[CohortResult[ScanOutcome]], tuple[CohortResult[ScanOutcome], int]]


def settings_of(how: Segmenting, **more: Any) -> "SegmentSettings":
    """Join the choices that both verbs offer with those of one."""
    return read_settings(how.config, how.choices | more, how.set_ or [])


def run(
    requests: "Sequence[SegmentRequest]",
    running: Running,
    where: Where,
    telling: Telling,
    after: "After | None" = None,
) -> int:
    """Segment the scans, or only say what would be done; return the exit code.

    `after` does more with the results, and returns them with the least exit code.
    """
    from medunsup.workflows.segment.cohort import foresee, run_requests

    executor = where.chosen(running.jobs)
    if running.dry_run:
        return print_forecast(foresee(requests, executor, force=running.force), telling.as_json)
    scans = [request.scan.path for request in requests]
    with display(scans, telling.quiet) as shown:
        shown.step(scans[0], "starting")
        result = run_requests(
            requests,
            executor=executor,
            force=running.force,
            report=not running.no_report,
            progress=shown.step,
            finished=shown.finished,
            first_pass=shown.first_pass,
        )
    result, least = (result, 0) if after is None else after(result)
    return print_result(result, telling, fail_on=running.fail_on, least=least)
