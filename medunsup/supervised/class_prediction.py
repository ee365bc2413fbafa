"""What a fine-tuned classifier says of a scan, or of the images in one file, and what that is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.anomaly.result import Flag
from medunsup.core.record import Record
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume
from medunsup.supervised.prediction import NetworkFacts


@dataclass(frozen=True, eq=False, repr=False)
class ClassPrediction(Shown):
    """The class that a network gives a scan. `medunsup.predict` makes it; no expert has checked it.

    Attributes
    ----------
    image : Volume
        The scan.
    brain : Volume
        Brain mask in native space.
    probabilities : dict of str to float
        Probability of each class, by name; they sum to 1.
    prepared : Volume
        The scan as the network saw it, on the template grid.
    network : NetworkFacts
        Which network it was, and what it came to on its test scans.
    contrast : str
        What the scan was taken as.
    flags : tuple of Flag
        What makes the scan unlike those that the network was fine-tuned on.
    remarks : tuple of str
        What else a reader should know.
    record : Record
        What was done, step by step.
    details : dict
        How the scan was prepared.

    Examples
    --------
    A network that was fine-tuned to classify scans gives it, as "runs/diagnosis":

    >>> from medunsup import ClassPrediction
    >>> sorted(ClassPrediction.__dataclass_fields__)[:3]
    ['brain', 'contrast', 'details']
    """

    image: Volume
    brain: Volume
    probabilities: Mapping[str, float]
    prepared: Volume
    network: NetworkFacts
    contrast: str
    flags: tuple[Flag, ...]
    remarks: tuple[str, ...]
    record: Record
    details: Mapping[str, Any]

    @property
    def predicted(self) -> str:
        """The likeliest class."""
        return max(self.probabilities, key=lambda name: self.probabilities[name])


@dataclass(frozen=True, eq=False, repr=False)
class ImagePredictions(Shown):
    """The classes that a fine-tuned network gives images of one file; no expert has checked them.

    Attributes
    ----------
    names : sequence of str
        Name of each image, "test_images[0]" and so on.
    classes : tuple of str
        Names of the classes.
    probabilities : ndarray of shape (N, K)
        Probability of each class, 0 to 1.
    values : ndarray of shape (N, C, I, J, K), float32
        The images, in [0, 1].
    flags : sequence of tuple of Flag
        What makes each image unlike those that the network was fine-tuned on.
    network : NetworkFacts
        Which network it was, and what it came to on its test images.
    remarks : tuple of str
        What a reader should know.
    record : Record
        What was done, step by step.

    Examples
    --------
    >>> import medunsup
    >>> fast = {"task": "classify", "parameters": {"steps": 2}, "baselines": False}
    >>> made = medunsup.finetune("runs/encoder", "labelled.npz", "runs/new_classes", **fast)
    >>> found = medunsup.predict(made, "labelled.npz")
    >>> found.probabilities.shape == (len(found.names), len(found.classes))
    True
    """

    names: Sequence[str]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]
    values: NDArray[np.float32] = field(repr=False)
    flags: Sequence[tuple[Flag, ...]] = field(repr=False)
    network: NetworkFacts
    remarks: tuple[str, ...]
    record: Record = field(repr=False)

    @property
    def predicted(self) -> tuple[str, ...]:
        """The likeliest class of each image."""
        return tuple(self.classes[n] for n in self.probabilities.argmax(axis=1))

    @property
    def counts(self) -> dict[str, int]:
        """How many images each class was given to."""
        return {name: self.predicted.count(name) for name in self.classes}
