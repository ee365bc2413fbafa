"""The class of one scan, top to bottom: prepare, network, what it is worth."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from medunsup.cohort.finetuned.folder import standardised
from medunsup.cohort.prepare import load_and_prepare
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.workflows.predict.flags import refuse_contrast, remarks_on, unlike_training
from medunsup.workflows.predict.network_facts import FINETUNED, facts_of
from medunsup.workflows.predict.request import PredictRequest

if TYPE_CHECKING:
    from medunsup.supervised.class_prediction import ClassPrediction

Progress = Callable[[str], None]


def classify_scan(request: PredictRequest, progress: Progress | None = None) -> "ClassPrediction":
    """Do what `predict` does with a network that classifies scans; saves nothing."""
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.supervised.class_prediction import ClassPrediction
    from medunsup.training.scan_stack import Scans

    network, spacing_mm = request.network, request.network.manifest.spacing_mm
    record = Record(progress=progress)
    image, made = load_and_prepare(request.scan, spacing_mm, cache=request.cache, say=progress)
    refuse_contrast(made, network, str(request.scan.path))
    values = standardised(made.values, made.mask) if network.is_standardised else made.values
    with record.step("network", folder=network.path.name, classes=len(network.labels)) as step:
        shares = network.classifier.probabilities(FINETUNED, Scans(values[None], made.mask[None]))[0]
        found = {label.name: float(one) for label, one in zip(network.labels, shares, strict=True)}
        step.findings |= {name: round(one, 4) for name, one in found.items()}
    with record.step("compare with the training scans"):
        flagged = unlike_training(network, made, image, values)
    return ClassPrediction(
        image=image,
        brain=image.like(made.brain, kind="mask"),
        probabilities=found,
        prepared=Volume(values[0], ModelSpace(spacing_mm).grid.affine, "image"),
        network=facts_of(network),
        contrast=made.contrast,
        flags=flagged,
        remarks=remarks_on(network, made),
        record=record.closed(),
        details=made.as_record(),
    )
