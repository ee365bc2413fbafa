"""A brain whose bias may be strong: field and brain are found in turns, until little of the field is left.

A field of 3 moves mask and template, and both tell the field; each round begins where the last one ended.
"""

from collections.abc import Callable

import numpy as np

from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.preprocess.brain_extraction.brain_mask import Brain
from medunsup.preprocess.intensity.white_bias import even_out, power_of, white_bias

MOST_ROUNDS = 3
SETTLED_RATIO = 1.06  # what is left of a field after a round that is worth no other


def evened_out(
    image: Volume, found: Brain, find: Callable[[Volume, Step], Brain], *, step: Step
) -> tuple[Volume, Brain]:
    """Take a strong bias out of a T1w scan; return the scan and the brain found in it, or both as they are.

    `find` finds the brain anew. Where white matter is not the brightest tissue nothing is done: elsewhere a
    large lesion may look like bias. Of a stripped scan what lies outside the brain is left alone.
    """
    ratios: list[float] = []
    powers: list[float] = []
    for _ in range(MOST_ROUNDS):
        bias = white_bias(image, found.mask, found.registration) if found.registration.fits else None
        if bias is None or not bias.is_t1w:
            break
        ratios.append(round(bias.ratio, 3))
        power = max([power_of(bias.ratio), *powers])  # a strong field's rest goes with it
        if power == 0 or (powers and bias.ratio < SETTLED_RATIO):
            break
        powers.append(power)
        even = even_out(image, bias, power)
        image = image.like(np.where(found.mask.data, even.data, image.data)) if found.is_stripped else even
        trial = Step(step.name)
        found = find(image, trial)
        step.findings |= trial.findings
        step.warnings, step.outcome = trial.warnings, trial.outcome  # the last round's alone hold
    if ratios:
        step.findings |= {
            "white_matter_bias": ratios,
            "white_matter_bias_evened_out": [round(n, 2) for n in powers],
        }
    return image, found
