"""From a scan's file to what models of healthy scans take: brain, registration, grid, scale."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort import reading
from medunsup.cohort.brain import find_brain
from medunsup.cohort.request import ScanRequest
from medunsup.core.geometry import Affine, steadied
from medunsup.core.hints import option
from medunsup.core.record import Record, Step
from medunsup.core.version import __version__
from medunsup.core.volume import Volume
from medunsup.io.files.hashes import hash_input
from medunsup.io.files.npz import read_npz, write_npz
from medunsup.preprocess.intensity.contrast import ContrastSource, name_contrast
from medunsup.preprocess.intensity.reference_scale import Line

RECIPE = 5  # counts up when a scan comes out otherwise, so that what was kept is not taken again
# What a kept file holds beside arrays.
FACTS = ("contrast", "contrast_source", "sha256", "spacing_mm", "intensity_range", "steps", "warnings")

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Prepared:
    """One scan on the models' grid.

    `values` (C, I, J, K) float32, about [0, 1] in the brain and 0 outside `mask` (I, J, K) bool.
    `brain` is the mask on the scan's own RAS+ voxels, `template_to_scan` maps template world to the scan's.

    The rest tells how all of it was made: the scan's `contrast` and what told it, the hash of its file, its
    own voxel spacing, the intensities that became 0 and 1, the steps as plain values, and their warnings.
    """

    values: Array
    mask: Mask
    brain: Mask
    template_to_scan: Affine
    contrast: str
    contrast_source: ContrastSource
    sha256: str
    spacing_mm: tuple[float, float, float]
    intensity_range: Line
    steps: tuple[dict[str, Any], ...]
    warnings: tuple[str, ...]

    @property
    def content(self) -> str:
        """SHA-256 of the values: the same for one scan in two files, prepared alike."""
        return sha256(self.values.tobytes()).hexdigest()

    @property
    def contrast_is_assumed(self) -> bool:
        """Whether neither the user, the header, the name nor the intensities told the contrast."""
        return self.contrast_source == "assumption"

    def as_record(self) -> dict[str, Any]:
        """Plain values for the sidecar of what is made of it."""
        return {
            "sha256": self.sha256,
            "spacing_mm": list(self.spacing_mm),
            "line": list(self.intensity_range),
            "steps": list(self.steps),
        }


def prepare(
    request: ScanRequest, spacing_mm: float, *, cache: Path | None = None, say: Say | None = None
) -> Prepared:
    """Bring one scan onto the models' grid; with `cache` what was made before is taken.

    Raises InputError or GeometryError if a file cannot be used, StepError if it holds no brain, OutputError
    if the cache cannot be written.
    """
    path = _place(request, spacing_mm, cache)
    found = _read(path)
    if found is None:
        record = Record(progress=say)
        found = _make(load(request, record), request, spacing_mm, record)
        _write(path, found)
    return found


def load_and_prepare(
    request: ScanRequest, spacing_mm: float, *, cache: Path | None = None, say: Say | None = None
) -> tuple[Volume, Prepared]:
    """Return the scan in native space as well; it is loaded once. All else as `prepare`."""
    record = Record(progress=say)
    image = load(request, record)
    path = _place(request, spacing_mm, cache)
    found = _read(path)
    if found is None:
        found = _make(image, request, spacing_mm, record)
        _write(path, found)
    return image, found


def kept(cache: Path, name: str) -> Prepared | None:
    """Return what was prepared before under the `key` of a scan; None if it is not there, or damaged."""
    return _read(cache / f"{name}.npz")


def load(request: ScanRequest, record: Record | None = None) -> Volume:
    """Load the scan itself, in native space."""
    with (record or Record()).step("load") as step:
        return reading.load_scan(request, step)


def key(request: ScanRequest, spacing_mm: float) -> str:
    """Name what a scan's preparation depends on: files, how they are read, grid, version."""
    asked = {
        "recipe": RECIPE,
        "version": __version__,
        "spacing_mm": spacing_mm,
        "reading": request.reading.model_dump(),
        "inputs": [item.as_sidecar() for item in request.inputs()],
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _make(image: Volume, request: ScanRequest, spacing_mm: float, record: Record) -> Prepared:
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.preprocess.intensity.reference_scale import healthy_scale

    space, asked = ModelSpace(spacing_mm), request.reading.contrast
    with record.step("brain mask", given=request.mask is not None) as step:
        brain, template_to_scan = _brain_and_registration(image, request, step)
    with record.step("template grid", spacing_mm=spacing_mm) as step:
        steady = replace(image, affine=steadied(image.affine))
        inside = space.to_template_grid(steady.like(brain.astype(np.float32)), template_to_scan) > 0.5
        step.findings["share_of_brain_inside"] = round(
            _share_inside(inside, brain, image, space, template_to_scan), 4
        )
        values = space.to_template_grid(_filled(steady, brain), template_to_scan)
    with record.step("contrast", asked=asked) as step:
        tissues = space.tissues
        contrast = name_contrast(reading.told_contrast_of(request, image), values, tissues, step)
    with record.step("scale") as step:
        values, line = healthy_scale(values, inside, tissues)
        step.findings |= {"low": round(line.low, 4), "high": round(line.high, 4)}
    i, j, k = (round(length, 4) for length in image.spacing_mm)
    return Prepared(
        values=values[None],
        mask=inside,
        brain=brain,
        template_to_scan=template_to_scan,
        contrast=contrast.name,
        contrast_source=contrast.source,
        sha256=hash_input(request.path),
        spacing_mm=(i, j, k),
        intensity_range=line,
        steps=tuple(record.as_sidecar()),
        warnings=tuple(record.warnings),
    )


def _brain_and_registration(image: Volume, request: ScanRequest, step: Step) -> tuple[Mask, Affine]:
    """Get the brain, given, left alone in the file or found, and where the template lies on the scan."""
    from medunsup.preprocess.registration.template_space import constant_background, on_template

    brain: Mask | None = None
    if request.mask is not None:
        brain = reading.load_mask(request.mask, image, step, request.reading.coordinates).data
    elif request.reading.brain in ("auto", "stripped"):
        brain = constant_background(image)
    registration = None if brain is None else on_template(image, brain)
    step.findings["on_template"] = registration is not None
    if brain is not None and registration is not None:
        return brain, registration.template_to_scan
    found = find_brain(image, request, step)
    if not found.registration.fits:
        step.warn("The template does not fit this scan; its map is not to be trusted.", degraded=True)
    return found.mask.data, found.registration.template_to_scan


def _filled(image: Volume, brain: Mask) -> Volume:
    """Give the outside the brain's median, so that no border of air or skull is blurred into the brain."""
    return image.like(np.where(brain, image.data, np.float32(np.median(image.data[brain]))))


def _share_inside(inside: Mask, brain: Mask, image: Volume, space: Any, template_to_scan: Affine) -> float:
    """How much of the brain the grid covers."""
    voxel_mm3 = space.spacing_mm**3 * abs(np.linalg.det(template_to_scan[:3, :3]))
    return float(inside.sum() * voxel_mm3 / max(brain.sum() * image.voxel_volume_mm3, 1e-9))


def _place(request: ScanRequest, spacing_mm: float, cache: Path | None) -> Path | None:
    """Where a prepared scan is kept, if it is."""
    return None if cache is None else cache / f"{key(request, spacing_mm)}.npz"


def other_cache() -> str:
    """Name what to choose where prepared scans cannot be kept."""
    return f"another folder for prepared scans ({option('cache')})"


def _write(path: Path | None, made: Prepared) -> None:
    """Keep a prepared scan in one file, uncompressed; raises OutputError on a full disk."""
    if path is None:
        return
    arrays: dict[str, NDArray[Any]] = {
        "values": made.values,
        "mask": np.packbits(made.mask),
        "brain": np.packbits(made.brain),
        "shape": np.array(made.brain.shape),
        "template_to_scan": made.template_to_scan,
        "facts": np.array(json.dumps({name: getattr(made, name) for name in FACTS})),
    }
    write_npz(path, arrays, compress=False, instead=other_cache)


def _read(path: Path | None) -> Prepared | None:
    """Read what was kept; a file that is not there or damaged is made again."""
    kept = None if path is None else read_npz(path)
    if kept is None:
        return None
    try:
        facts = json.loads(str(kept["facts"]))
        values, shape = kept["values"], tuple(kept["shape"])
        i, j, k = facts["spacing_mm"]
        return Prepared(
            values=values,
            mask=_unpacked(kept["mask"], values.shape[1:]),
            brain=_unpacked(kept["brain"], shape),
            template_to_scan=kept["template_to_scan"],
            contrast=facts["contrast"],
            contrast_source=facts["contrast_source"],
            sha256=facts["sha256"],
            spacing_mm=(i, j, k),
            intensity_range=Line(*facts["intensity_range"]),
            steps=tuple(facts["steps"]),
            warnings=tuple(facts["warnings"]),
        )
    except (ValueError, KeyError):
        return None


def _unpacked(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> Mask:
    return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)
