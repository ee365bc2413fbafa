"""The classes of the images in one file: read, network, what they are worth."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from medunsup.anomaly.distribution_shift import image_flags
from medunsup.cohort.dataset.images import Images, read_new_images
from medunsup.cohort.finetuned.folder import Array, FinetunedFolder, standardised
from medunsup.cohort.labelled.alike import sides_in_words
from medunsup.core.errors import InputError
from medunsup.core.record import Record
from medunsup.workflows.predict.network_facts import FINETUNED, facts_of
from medunsup.workflows.predict.request import PredictRequest

if TYPE_CHECKING:
    from medunsup.anomaly.result import Flag
    from medunsup.supervised.class_prediction import ImagePredictions

Progress = Callable[[str], None]
SEEN = {"train": "learned from", "test": "was tested on"}


def classify_images(request: PredictRequest, progress: Progress | None = None) -> "ImagePredictions":
    """Do what `predict` does with a network that classifies images; saves nothing."""
    from medunsup.supervised.class_prediction import ImagePredictions
    from medunsup.training.scan_stack import Scans

    network = request.network
    record = Record(progress=progress)
    with record.step("read") as step:
        images = read_images_of(request)
        step.findings |= {"images": len(images.values), "array": images.key}
    values, masks = images.values, np.ones(images.values[:, 0].shape, bool)
    if network.is_standardised:
        values = np.stack([standardised(*one) for one in zip(values, masks, strict=True)])
    with record.step("network", folder=network.path.name, classes=len(network.labels)):
        shares = network.classifier.probabilities(FINETUNED, Scans(values, masks))
    with record.step("compare with the training images") as step:
        flagged = _flags(network, values)
        step.findings["unlike them"] = sum(map(bool, flagged))
    return ImagePredictions(
        names=images.names,
        classes=tuple(label.name for label in network.labels),
        probabilities=shares,
        values=images.values,
        flags=flagged,
        network=facts_of(network),
        remarks=_remarks(images, network),
        record=record.closed(),
    )


def read_images_of(request: PredictRequest) -> Images:
    """Read the images of a file. Raises InputError if they are unlike those of the training."""
    images = read_new_images(request.scan.path)
    _refuse_other_shape(images, request.network, request.scan.path)
    return images


def _refuse_other_shape(images: Images, network: FinetunedFolder, path: Path) -> None:
    """Raise InputError unless images have channels and size of the training's."""
    channels, *sides = images.values.shape[1:]
    known, card = network.plan.channels, network.data_card
    if channels != known:
        raise InputError(
            f"{path}: the network was fine-tuned on images of {known} channels, these have {channels}. "
            "Convert them."
        )
    if card is not None and card.mean.shape != tuple(sides):
        raise InputError(
            f"{path}: the network was fine-tuned on images of {sides_in_words(card.mean.shape)}, these are "
            f"{sides_in_words(sides)}. Resample them."
        )


def _flags(network: FinetunedFolder, values: Array) -> "list[tuple[Flag, ...]]":
    card = network.data_card
    if card is None:
        return [()] * len(values)
    whole = np.ones(values.shape[2:], bool)
    return [image_flags(card, one, whole) for one in values]


def _remarks(images: Images, network: FinetunedFolder) -> tuple[str, ...]:
    """Say how many the network has seen; equal values count."""
    counts = Counter(network.seen.get(one) for one in images.contents)
    told = [f"{counts[split]} that the network {words}" for split, words in SEEN.items() if counts[split]]
    if not told:
        return ()
    return (f"Among these {len(images.values)} images are {' and '.join(told)}: that says little of others.",)
