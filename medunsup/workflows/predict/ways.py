"""What is done in its own way by networks that segment scans, classify scans, or classify images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from medunsup.cohort.failed import FailedScan
from medunsup.cohort.rehearsal.forecast import read_scan
from medunsup.io.bids.outputs import Derivative
from medunsup.workflows.predict import outcome, outputs
from medunsup.workflows.predict.class_outputs import CLASSES_DERIVATIVE, IMAGES_DERIVATIVE
from medunsup.workflows.predict.classes.group import write_classes_table_and_page
from medunsup.workflows.predict.classes.images import classify_images, read_images_of
from medunsup.workflows.predict.classes.save import write_class, write_images
from medunsup.workflows.predict.classes.scan import classify_scan
from medunsup.workflows.predict.group import write_table_and_page
from medunsup.workflows.predict.outcome import PredictOutcome
from medunsup.workflows.predict.request import Kind, PredictRequest
from medunsup.workflows.predict.save import write
from medunsup.workflows.predict.scan import predict_scan

Say = Callable[[str], None]
State = Literal["done", "skipped"]


@dataclass(frozen=True)
class Way:
    """Read what is given, make a result, write it, read it again, and lay those of a folder together."""

    derivative: Derivative
    read_input: Callable[[PredictRequest], object]
    predict: Callable[[PredictRequest, Say | None], Any]
    write: Callable[[Any, PredictRequest, bool], object]
    read: Callable[[PredictRequest, State], PredictOutcome]
    together: Callable[[Path, Sequence[FailedScan]], Path | None]


WAYS: dict[Kind, Way] = {
    "segment": Way(
        outputs.DERIVATIVE,
        lambda request: read_scan(request.scan),
        predict_scan,
        write,
        outcome.read_outcome,
        write_table_and_page,
    ),
    "classify": Way(
        CLASSES_DERIVATIVE,
        lambda request: read_scan(request.scan),
        classify_scan,
        write_class,
        outcome.read_class,
        write_classes_table_and_page,
    ),
    "images": Way(
        IMAGES_DERIVATIVE,
        read_images_of,
        classify_images,
        write_images,
        outcome.read_images,
        lambda root, failed: None,  # each file has a table and page of its own
    ),
}
