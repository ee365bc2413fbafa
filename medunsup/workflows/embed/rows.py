"""Which rows a table of features will have: the scans that are found, and how each is read."""

from collections.abc import Mapping
from dataclasses import dataclass

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.encoders.folder import WEIGHTS, EncoderFolder
from medunsup.cohort.labelled.alike import AsBefore, as_before, before_of
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.training.select import find_scans
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.core.progress import Told
from medunsup.features.base import Feature
from medunsup.workflows.embed.request import EmbedRequest
from medunsup.workflows.embed.row import EncoderUsed, RowTask
from medunsup.workflows.embed.settings import SPACING_MM


@dataclass(frozen=True)
class Rows:
    """The scans of a table and a task for each, how they are read, and why how many were left out."""

    cases: list[Case]
    tasks: list[RowTask]
    how: AsBefore
    left_out: Mapping[str, int]


def find_rows(
    request: EmbedRequest, kinds: Mapping[str, Feature], encoder: EncoderFolder | None, told: Told
) -> Rows:
    """Find the scans of a source, and say what is taken of each.

    Raises UsageError or InputError for a source that cannot be understood, or for no features.
    """
    if not kinds and encoder is None:
        raise UsageError(f"No features are asked for. Name some with {option('features')}.")
    how = _preparation(request, encoder)
    cases, left_out = find_scans(
        request.data, contrast=request.settings.contrast, mask=request.mask, told=told
    )
    used = EncoderUsed(encoder.path, encoder.manifest.sha256[WEIGHTS]) if encoder else None
    plain = {name: kind for name, kind in kinds.items() if not kind.needs_fit}
    tasks = [
        RowTask(ScanRequest(case.scan, how.reading, case.mask), how.spacing_mm, plain, request.prepared, used)
        for case in cases
    ]
    return Rows(cases, tasks, how, left_out)


def _preparation(request: EmbedRequest, encoder: EncoderFolder | None) -> AsBefore:
    """Say how scans are read and onto which grid. Raises UsageError if an encoder wants it otherwise."""
    settings = request.settings
    if encoder is None:
        return AsBefore(settings.reading, settings.spacing_mm or SPACING_MM)
    how = as_before(before_of(encoder), request.data)
    if encoder.manifest.network.channels != 1:
        raise UsageError(f"{encoder.path}: takes several channels, a scan has 1. Pretrain on scans.")
    if settings.spacing_mm not in (None, how.spacing_mm):
        raise UsageError(
            f"{encoder.path}: was pretrained at {how.spacing_mm:g} mm, not {settings.spacing_mm:g}. Leave "
            "the spacing out."
        )
    return how
