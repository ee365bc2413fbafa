"""A brain made from the template's own maps, and the verdict on it, as `segment` asks for it."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from helpers import faults
from medunsup.core.labels import class_table
from medunsup.core.record import Step
from medunsup.core.registry import method
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.crop import Box
from medunsup.preprocess.geometry.resample import shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.intensity.normalize import winsorize_and_scale
from medunsup.preprocess.registration.affine import Registration
from medunsup.tissue.base import TissueInput, TissueMethod
from medunsup.tissue.priors import tissue_priors
from medunsup.tissue.quality import Known, assess
from medunsup.tissue.result import Quality
from medunsup.workflows.segment.measure import measure

SIGNAL = {"T1w": (70, 100, 30), "T2w": (80, 55, 150), "FLAIR": (90, 68, 25), "PD": (85, 70, 100)}
SPACING_MM = 3.0
FITS: dict[str, TissueMethod] = {}  # the last few, by what was fitted
MOST_FITS = 8
IN_PLACE = Registration(np.eye(4), 0.5, fits=True)


@dataclass(frozen=True)
class Made:
    """A scan, its brain mask and its contrast's name."""

    image: Volume
    mask: Volume
    contrast: str = "T1w"
    is_head: bool = False


@pytest.fixture(scope="module")
def maps() -> dict[str, np.ndarray]:
    """A made-up person at 3 mm: the template's maps as crisp as a single brain's, and fluid around them."""
    template = load_template()
    gm, wm = (shrink(part, SPACING_MM).data for part in (template.gm, template.wm))
    mask = shrink(template.mask, SPACING_MM)
    sharp = np.stack([gm, wm, np.clip(1 - gm - wm, 0, 1)]) ** 3
    whole = ndimage.binary_dilation(mask.data > 0.5)  # the template's mask is tight: no fluid around it
    return {"tissues": sharp / sharp.sum(axis=0), "mask": whole, "affine": mask.affine}


def make(maps: dict[str, np.ndarray], contrast: str = "T1w", *, head: bool = False) -> Made:
    """A scan of that person with 3 % noise, in 12 mm of air; `head` puts bone and fat around the brain."""
    rng = np.random.default_rng(0)
    pad = [(4, 4)] * 3
    affine = maps["affine"].copy()
    affine[:3, 3] -= affine[:3, :3] @ [4, 4, 4]
    mask = Volume(np.pad(maps["mask"], pad), affine, "mask")
    signal = np.pad(np.tensordot(SIGNAL[contrast], maps["tissues"], axes=1) * maps["mask"], pad)
    if head:
        outside = ndimage.distance_transform_edt(~mask.data, sampling=mask.spacing_mm)
        signal = np.where((outside > 3) & (outside <= 12), 160.0, signal)
    noise = rng.normal(0, 3, (2, *signal.shape))
    image = Volume(np.hypot(signal + noise[0], noise[1]).astype(np.float32), affine)
    return Made(image if head else faults.stripped(image, mask), mask, contrast, head)


def judge(
    made: Made,
    registration: Registration = IN_PLACE,
    *,
    n_classes: int = 3,
    name: str = "atlas_gmm",
    **known: Any,
) -> Quality:
    """Segment as `segment` does and ask for the verdict."""
    box = Box.around(made.mask.data)
    image, mask = box.take(made.image), box.take(made.mask)
    intensity = winsorize_and_scale(image.data, mask.data)[None]
    priors = tissue_priors(image, mask, registration) if n_classes == 3 and registration.fits else None
    labels = class_table(n_classes)
    data = TissueInput(intensity, mask.data, image.spacing_mm, (made.contrast,), labels, priors)
    fitted = fit(name, data)
    volumes = measure(data, fitted, image.voxel_volume_mm3, Step("volumes"))
    told = Known(**{"is_stripped": not made.is_head, **known})
    data = replace(data, priors=None)  # as `segment` does, for room
    return assess(data, fitted, volumes, registration, scan=made.image, origin=box.origin, known=told)


def fit(name: str, data: TissueInput) -> TissueMethod:
    """Fit a method, or return the fit of the very same input: many verdicts differ in what is known alone."""
    priors = b"" if data.priors is None else data.priors.tobytes()
    about = f"{name} {data.contrasts} {data.spacing_mm} {data.mask.shape} {len(data.labels)}"
    key = sha256(
        b" ".join((about.encode(), data.intensity.tobytes(), data.mask.tobytes(), priors))
    ).hexdigest()
    if key not in FITS:
        if len(FITS) == MOST_FITS:
            del FITS[next(iter(FITS))]
        FITS[key] = method("tissue", name)().fit(data)
    FITS[key] = FITS.pop(key)  # the last used is the last to go
    return FITS[key]
