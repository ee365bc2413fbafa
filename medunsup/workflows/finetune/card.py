"""What the training scans look like, by which new ones are told that are unlike them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from medunsup.core.progress import Stage, Told
from medunsup.io.files.artifact_folder import Arrays

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

MOST = 2000  # each takes milliseconds


def card_of(scans: "Scans", facts: Mapping[str, Any], told: Told) -> Arrays:
    """Gather what `scans` look like as the network sees them; `facts` are those of finetune.json.

    Images have no template grid: they are mirrored about their own middle. Of very many some are looked at,
    evenly spread.
    """
    from medunsup.anomaly.distribution_shift import learn_card
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    told(Stage("gathering what training scans look like"))
    spacing_mm = facts["spacing_mm"]
    if len(scans) > MOST:
        scans = scans.take(np.linspace(0, len(scans) - 1, MOST).round().astype(int).tolist())
    middle = ModelSpace(spacing_mm).middle if spacing_mm else scans.shape[1] - 1
    return learn_card(scans, coarsest_mm=facts["coarsest_mm"] or 0.0, middle=middle).state()
