"""The verdict on a tissue segmentation: what a careful reader would check first, and in which words."""

from dataclasses import replace

from medunsup.core.volume import Volume
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.quality.findings import Findings
from medunsup.tissue.quality.known import Known
from medunsup.tissue.quality.look import look
from medunsup.tissue.result import Quality, TissueVolume

__all__ = ["Known", "assess"]


def assess(
    data: TissueInput,
    fitted: TissueMethod,
    volumes: tuple[TissueVolume, ...],
    registration: Registration,
    *,
    scan: Volume | None = None,
    origin: tuple[int, int, int] = (0, 0, 0),
    known: Known | None = None,
) -> Quality:
    """Look for another part of the body, a bad mask, a misregistered template, a wrong contrast and more.

    `scan` is the whole scan that `data` was cut from, `origin` the voxel of it where `data` begins; without
    it, what needs the scan's place in the world is not checked, and the reasons say so. `known` tells what
    was given with the scan and how it was taken. "fail" means do not use, "check" look before use,
    "partial" that not all is known or could be checked. Every measure and limit is in docs/quality.md.
    """
    known = known or Known()
    findings = replace(known.before or Findings(), words=known.words)
    look(findings, data, fitted, volumes, registration, scan, origin, known)
    return findings.verdict()
