"""`medunsup segment`: from scans to tissue volumes, maps and a report."""

from medunsup.cli.shared import dicom_options, executor_options, options, segmenting
from medunsup.cli.shared.settings import check_outputs, pairs
from medunsup.cli.shared.verb import verb


@verb()
def segment(
    scans: options.Scans,
    out: options.Out = None,
    *,
    reading: options.Reading,
    with_: options.With = None,
    tissues: options.Tissues = None,
    how: options.Segmenting,
    running: options.Running,
    where: executor_options.Where,
    telling: options.Telling,
    dicom: dicom_options.WithDicom = False,
    reference: dicom_options.Reference = None,
    binary: dicom_options.Binary = False,
) -> int:
    """Segment brain scans into grey matter, white matter and CSF, and measure them.

    Exit codes: 0 done, 1 a scan ended in an error, 2 wrong use, 3 a verdict that --fail-on names,
    130 interrupted, 143 ended from outside.
    """
    from medunsup.workflows.segment.cohort import make_requests

    settings = segmenting.settings_of(how, tissues=tissues, **reading.choices)
    requests = make_requests(scans, settings, out, reading.mask, pairs(with_ or [], "--with"))
    check_outputs([request.scan.path for request in requests], out)
    dicom_options.check(requests, dicom, reference, binary)
    if not dicom:
        return segmenting.run(requests, running, where, telling)

    from medunsup.workflows.segment.dicom.files import write_dicom

    return segmenting.run(
        requests,
        running,
        where,
        telling,
        lambda result: dicom_options.write(result, requests, write_dicom, reference, binary, telling),
    )
