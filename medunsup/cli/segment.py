"""`medunsup segment`: from scans to tissue volumes, maps and a report."""

from medunsup.cli import _options, _segmenting
from medunsup.cli._settings import check_outputs, pairs
from medunsup.cli._verb import verb


@verb()
def segment(
    scans: _options.Scans,
    out: _options.Out = None,
    *,
    reading: _options.Reading,
    with_: _options.With = None,
    tissues: _options.Tissues = None,
    how: _options.Segmenting,
    running: _options.Running,
    telling: _options.Telling,
) -> int:
    """Segment brain scans into grey matter, white matter and CSF, and measure them.

    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 3 a verdict that --fail-on names,
    130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.segment.cohort import make_requests

    settings = _segmenting.settings_of(how, tissues=tissues, **reading.choices)
    requests = make_requests(scans, settings, out, reading.mask, pairs(with_ or [], "--with"))
    check_outputs([request.scan.path for request in requests], out)
    return _segmenting.run(requests, running, telling)
