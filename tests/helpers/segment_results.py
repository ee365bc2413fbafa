"""A result for the tests of saving, made without segmenting."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from helpers import phantom
from medunsup.core.labels import TISSUES
from medunsup.core.record import Record
from medunsup.io.load import load
from medunsup.tissue.base import Component
from medunsup.tissue.result import Fit, Quality, TissueVolume
from medunsup.workflows.segment.request import make_request
from medunsup.workflows.segment.result import SegmentResult
from medunsup.workflows.segment.settings import SegmentSettings


@pytest.fixture
def make_result(small_brain: phantom.Anatomy, make_scan: Callable[..., Path]) -> Callable[..., SegmentResult]:
    """Build the result a perfect segmentation of a scan would give, without segmenting."""

    def make(scan: Path | None = None) -> SegmentResult:
        path = scan or make_scan()
        image = load(path)
        record = Record()
        with record.step("load") as step:
            step.findings["file"] = path.name
        request = make_request(path, SegmentSettings(method="gmm"))
        true = dict(zip(("GM", "WM", "CSF"), small_brain.fractions[:3], strict=True))
        gaussians = [Component(item.abbreviation, 1 / 3, (item.index / 4,), (0.1,)) for item in TISSUES]
        ml = small_brain.volumes_ml
        total = sum(ml.values())
        return SegmentResult(
            image=image,
            corrected=image,
            brain_mask=image.like(small_brain.mask.data, kind="mask"),
            labels=image.like(small_brain.labels.data, kind="label"),
            fractions={name: image.like(data, kind="probability") for name, data in true.items()},
            uncertainty=image.like(np.zeros(image.shape, np.float32), kind="score"),
            tissues=tuple(
                TissueVolume(label, ml[name] * 1000, ml[name] * 1000, ml[name] / total)
                for label in TISSUES
                for name in [label.abbreviation]
            ),
            fit=Fit(
                method="gmm",
                components=tuple(gaussians),
                log_likelihood=(-1.0, -0.5),
                converged=True,
                histogram_counts=(1, 2, 1),
                histogram_edges=(0.0, 0.3, 0.6, 1.0),
            ),
            quality=Quality("pass"),
            record=record,
            parameters=request.settings.as_record(),
            identity=request.identity(),
            command=request.command(),
        )

    return make
