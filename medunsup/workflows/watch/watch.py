"""Wait for series, from the network or in a folder, and process each once it is complete."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Literal

from medunsup.cohort.dicom.reference import DicomForm, check_form
from medunsup.cohort.failed import without_folders
from medunsup.core.errors import MissingError, OutputError, UsageError
from medunsup.core.hints import option
from medunsup.core.notice import tell
from medunsup.core.paths import user_path
from medunsup.io.dicom_net.listen import listening
from medunsup.io.dicom_net.received import identify
from medunsup.io.dicom_net.store import check_title
from medunsup.workflows.segment.settings import SegmentSettings
from medunsup.workflows.watch.inbox import Inbox
from medunsup.workflows.watch.jobs import DetectJob, Job, SegmentJob, run_job
from medunsup.workflows.watch.result import WatchedSeries
from medunsup.workflows.watch.spool import Spool

LOOK_EVERY_S = 0.2
INBOX_EVERY_S = 1.0
AGAIN_AFTER_S = 30.0  # a full disk, or a folder that another run writes to: no fault of the series

Finished = Callable[[WatchedSeries], None]

log = logging.getLogger(__name__)


def watch(
    out: str | Path,
    *,
    run: Literal["segment", "detect"] = "segment",
    folder: str | Path | None = None,
    aet: str = "MEDUNSUP",
    port: int = 11112,
    host: str = "127.0.0.1",
    senders: Sequence[str] = (),
    model: str | Path | None = None,
    spool: str | Path | None = None,
    quiet_for: float = 10.0,
    once: bool = False,
    report: bool = True,
    dicom: bool | DicomForm = False,
    finished: Finished | None = None,
    **choices: Any,
) -> list[WatchedSeries]:
    """Wait for DICOM series, from the network or in a folder, and process each complete one once.

    A series is complete when nothing new of it came for `quiet_for` seconds, or all files are there that its
    header counts. Files lie in the spool, which holds patients' images, and so does the record of what was
    processed: a watcher that was killed goes on where it was. Results are named after a hash of the series.
    It runs until it is interrupted. Listening needs the extra `dicom-net`; nothing that comes is encrypted.

    Parameters
    ----------
    out : str or Path
        Folder for the results.
    run : {'segment', 'detect'}, default 'segment'
        What is done with each series.
    folder : str or Path, optional
        Folder to look into, in place of the network; its files are copied to the spool and left there.
    aet : str, default 'MEDUNSUP'
        Our title: who calls another is refused.
    port : int, default 11112
        Port to listen on; 0 takes any that is free.
    host : str, default '127.0.0.1'
        Address to listen on: by default only this computer's programs reach it.
    senders : sequence of str, default ()
        Titles that may send. Any may if none is named.
    model : str or Path, optional
        Model folder, or bundled model, for 'detect'; by default a bundled one.
    spool : str or Path, optional
        Folder for what arrives. By default beside `out`, called after it with _spool at the end.
    quiet_for : float, default 10.0
        Seconds without news after which a series is complete.
    once : bool, default False
        End when all that arrived is processed: of the network, once something has.
    report : bool, default True
        Write the HTML pages of 'segment'.
    dicom : bool or {'labelmap', 'binary'}, default False
        Write the results as DICOM files as well, the segmentation of this kind; True is 'labelmap'.
    finished : callable, optional
        Called with each series that was processed.
    **choices
        What changes the result of 'segment', as `segment_many` takes it.

    Returns
    -------
    list of WatchedSeries
        Series that were processed, in their order, with `once`.

    Raises
    ------
    UsageError
        If choices do not fit, or the port cannot be listened on.
    MissingError
        If `folder` is not there.
    OutputError
        If another watcher uses the spool, or it cannot be written.
    DependencyError
        If the packages for DICOM networks are not installed.

    Examples
    --------
    >>> import medunsup
    >>> from pathlib import Path
    >>> Path("inbox").mkdir()
    >>> medunsup.watch("watched", folder="inbox", once=True)  # nothing has arrived
    []
    """
    target = user_path(out)
    job = _job(run, target, model, report=report, dicom=dicom, choices=choices)
    if not 0 < quiet_for < float("inf"):
        raise UsageError(f"{option('quiet_for', quiet_for)}: give seconds, more than 0.")
    where = target.absolute()
    kept = user_path(spool) if spool is not None else where.with_name(f"{where.name}_spool")
    inbox = None if folder is None else Inbox(_folder(folder))
    with Spool.opened(kept) as opened, _door(opened, inbox, aet, host, port, senders):
        return _work(opened, inbox, job, quiet_for, once, finished or _silent)


def _work(
    spool: Spool, inbox: Inbox | None, job: Job, quiet_for: float, once: bool, finished: Finished
) -> list[WatchedSeries]:
    """Process what is complete, for ever or until nothing waits."""
    became: list[WatchedSeries] = []
    later: dict[Path, float] = {}  # when to try again what could not begin
    looked, all_taken = -INBOX_EVERY_S, inbox is None
    while True:
        now = monotonic()
        if inbox is not None and now - looked >= INBOX_EVERY_S:
            all_taken, looked = inbox.look(spool), now
        waiting = {series for series, again in later.items() if now < again}
        series = spool.next_complete(quiet_for, waiting)
        if series is not None:
            try:
                done = _process(spool, series, job)
            except OutputError as error:
                if once:
                    raise
                log.error("%s It is tried again in %.0f seconds.", error, AGAIN_AFTER_S)
                later[series] = monotonic() + AGAIN_AFTER_S
                continue
            became.append(done)
            finished(done)
        elif once and all_taken and spool.is_empty and (inbox is not None or became):
            return became
        else:
            sleep(LOOK_EVERY_S)


def _process(spool: Spool, series: Path, job: Job) -> WatchedSeries:
    """Process one series and note what became of it.

    Raises OutputError if results cannot be written: the series then waits.
    """
    missing = spool.missing(series)
    if missing:
        log.warning("%s: %s.", series.name, missing)
    if not any(identify(path).is_image for path in series.glob("*.dcm")):
        done = WatchedSeries(series, "passed over", "it holds no images")
    else:
        outcome = run_job(job, series)
        if outcome.is_fatal:
            spool.reopen(series)
            raise OutputError(str(outcome.error))
        error = None if outcome.error is None else without_folders(outcome.error, series)
        warnings = (*((missing,) if missing else ()), *outcome.warnings)
        done = WatchedSeries(series, "error" if error else "done", error, warnings, outcome.outputs)
    facts = {"status": done.status, "error": done.error, "warnings": list(done.warnings)}
    try:
        spool.record(series, facts)
    except OutputError:
        spool.reopen(series)
        raise
    return done


@contextmanager
def _door(
    spool: Spool, inbox: Inbox | None, aet: str, host: str, port: int, senders: Sequence[str]
) -> Iterator[None]:
    """Listen to the network, unless a folder is looked into; say so."""
    if inbox is not None:
        tell(log, "Looking into %s; Ctrl-C ends.", inbox.folder)
        yield
        return
    check_title(option("aet", aet), aet)
    for title in senders:
        check_title(option("senders", title), title)
    with listening(aet, host, port, senders, spool.take, spool.heard) as at:
        tell(log, "Listening as %s on %s, port %d; Ctrl-C ends.", aet, host, at)
        yield


def _job(
    run: str,
    out: Path,
    model: str | Path | None,
    *,
    report: bool,
    dicom: bool | DicomForm,
    choices: dict[str, Any],
) -> Job:
    form: DicomForm | None = ("labelmap" if dicom is True else dicom) or None
    check_form(form, None)
    if run == "segment":
        if model is not None:
            raise UsageError(f"{option('model')} is of {option('run', 'detect')}. Leave it out.")
        from medunsup.workflows.segment.fit import build

        settings = SegmentSettings.parse(choices, where="watch")
        build(settings)
        return SegmentJob(settings, out, report, form)
    if run != "detect":
        raise UsageError(f"{option('run', run)}: is neither segment nor detect.")
    if choices:
        raise UsageError(
            f"{option('run', 'detect')}: choices of segment, such as {option('method')}, do not fit."
        )
    from medunsup.workflows.detect.scan import open_model

    open_model(model)  # what is wrong with it is told before anything arrives
    return DetectJob(None if model is None else Path(model), out, form)


def _folder(folder: str | Path) -> Path:
    path = user_path(folder)
    if not path.is_dir():
        raise MissingError(f"{path}: there is no such folder. Check the path.")
    return path


def _silent(series: WatchedSeries) -> None:
    """Hear what became of a series and say nothing."""
