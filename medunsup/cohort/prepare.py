"""From a scan's file to what models of healthy scans take: brain, place on the template, lattice, scale."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort import reading
from medunsup.cohort.contrast import ASSUMPTION, name_contrasts
from medunsup.cohort.request import Request
from medunsup.core.geometry import Affine, steadied
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.io.files.atomic import atomic_path
from medunsup.io.files.hashes import hash_input
from medunsup.workflows.segment.scan import find_brain

RECIPE = 3  # counts up when a scan comes out otherwise, so that what was kept is not taken again
OTHER_CACHE = "another folder for prepared scans (--cache)"

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]
Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Prepared:
    """One scan on the models' lattice.

    `values` (C, I, J, K) float32, about [0, 1] in the brain and 0 outside `mask` (I, J, K) bool.
    `brain` is the mask on the scan's own RAS+ voxels, `placement_mm` maps template world to the scan's,
    `contrast` is the scan's. `facts` tell how all of it was made: "sha256" of the scan, "spacing_mm" as it
    came, "line" (the intensities that became 0 and 1), "steps".
    """

    values: Array
    mask: Mask
    brain: Mask
    placement_mm: Affine
    contrast: str
    facts: dict[str, Any]

    @property
    def content(self) -> str:
        """SHA-256 of the values: the same for one scan in two files, prepared alike."""
        return sha256(self.values.tobytes()).hexdigest()

    @property
    def contrast_is_assumed(self) -> bool:
        """Whether neither the user, the header, the name nor the intensities told the contrast."""
        return any(step.get("findings", {}).get("from") == ASSUMPTION for step in self.facts["steps"])

    @property
    def warnings(self) -> list[str]:
        """What was noticed on the way."""
        return [text for step in self.facts["steps"] for text in step.get("warnings", ())]


def prepare(
    request: Request,
    spacing_mm: float,
    *,
    image: Volume | None = None,
    cache: Path | None = None,
    say: Say | None = None,
) -> Prepared:
    """Bring one scan onto the models' lattice; with `cache` what was made before is taken.

    `image` is the scan if it is loaded already.

    Raises InputError or GeometryError if a file cannot be used, StepError if it holds no brain, OutputError
    if the cache cannot be written.
    """
    if cache is None:
        return _make(request, image, spacing_mm, say or _silent)
    kept = cache / f"{key(request, spacing_mm)}.npz"
    found = _read(kept)
    if found is None:
        found = _make(request, image, spacing_mm, say or _silent)
        _write(kept, found)
    return found


def load(request: Request) -> Volume:
    """Load the scan itself, in its own voxels."""
    return reading.load_scan(request.scan, request.settings, Step("load"))


def key(request: Request, spacing_mm: float) -> str:
    """Name what a scan's preparation depends on: files, choices, lattice, version."""
    asked = {"recipe": RECIPE, "spacing_mm": spacing_mm, **request.identity()}
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32]


def _make(request: Request, image: Volume | None, spacing_mm: float, say: Say) -> Prepared:
    from medunsup.preprocess.geometry.template_grid import ModelSpace
    from medunsup.preprocess.intensity.reference_scale import healthy_scale

    space, record = ModelSpace(spacing_mm), Record()

    def begin(name: str, **parameters: Any) -> Step:
        say(name)
        return record.step(name, **parameters)

    with begin("load") as step:
        if image is None:
            image = reading.load_scan(request.scan, request.settings, step)
        else:
            reading.note_source(image, step)
    with begin("brain mask", given=request.mask is not None) as step:
        brain, placement_mm = _brain_and_place(image, request, step)
    with begin("lattice", spacing_mm=spacing_mm) as step:
        steady = replace(image, affine=steadied(image.affine))
        inside = space.carry_in(steady.like(brain.astype(np.float32)), placement_mm) > 0.5
        step.findings["share_of_brain_inside"] = round(
            _share_inside(inside, brain, image, space, placement_mm), 4
        )
        values = space.carry_in(_filled(steady, brain), placement_mm)
    with begin("contrast", asked=request.settings.contrast) as step:
        tissues = space.tissues
        (contrast,) = name_contrasts(request, image.source, values, tissues, step)
    with begin("scale") as step:
        values, line = healthy_scale(values, inside, tissues)
        step.findings |= {"low": round(line.low, 4), "high": round(line.high, 4)}
    facts = {
        "sha256": hash_input(request.scan),
        "spacing_mm": [round(length, 4) for length in image.spacing_mm],
        "line": list(line),
        "steps": record.as_sidecar(),
    }
    return Prepared(values[None], inside, brain, placement_mm, contrast, facts)


def _brain_and_place(image: Volume, request: Request, step: Step) -> tuple[Mask, Affine]:
    """Get the brain, given, left alone in the file or found, and where the template lies on the scan."""
    from medunsup.preprocess.registration.template_space import constant_background, on_template

    brain: Mask | None = None
    if request.mask is not None:
        brain = reading.load_mask(request.mask, image, step, request.settings.coordinates).data
    elif request.settings.brain in ("auto", "stripped"):
        brain = constant_background(image)
    placement = None if brain is None else on_template(image, brain)
    step.findings["on_template"] = placement is not None
    if brain is not None and placement is not None:
        return brain, placement.affine_mm
    found = find_brain(image, request, step)
    if not found.placement.fits:
        step.warn("The template does not fit this scan; its map is not to be trusted.", degraded=True)
    return found.mask.data, found.placement.affine_mm


def _filled(image: Volume, brain: Mask) -> Volume:
    """Give the outside the brain's median, so that no rim of air or skull is blurred into the brain."""
    return image.like(np.where(brain, image.data, np.float32(np.median(image.data[brain]))))


def _share_inside(inside: Mask, brain: Mask, image: Volume, space: Any, placement_mm: Affine) -> float:
    """How much of the brain the lattice covers."""
    voxel_mm3 = space.spacing_mm**3 * abs(np.linalg.det(placement_mm[:3, :3]))
    return float(inside.sum() * voxel_mm3 / max(brain.sum() * image.voxel_volume_mm3, 1e-9))


def _write(path: Path, made: Prepared) -> None:
    """Keep a prepared scan in one file, uncompressed; raises OutputError on a full disk."""
    with atomic_path(path, instead=OTHER_CACHE) as temporary, temporary.open("wb") as file:
        np.savez(
            file,
            values=made.values,
            mask=np.packbits(made.mask),
            brain=np.packbits(made.brain),
            shape=np.array(made.brain.shape),
            placement_mm=made.placement_mm,
            facts=np.array(json.dumps({"contrast": made.contrast, **made.facts})),
        )


def _read(path: Path) -> Prepared | None:
    """Read what was kept; a file that is not there or damaged is made again."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            facts = json.loads(str(kept["facts"]))
            values, shape = kept["values"], tuple(kept["shape"])
            return Prepared(
                values=values,
                mask=_unpacked(kept["mask"], values.shape[1:]),
                brain=_unpacked(kept["brain"], shape),
                placement_mm=kept["placement_mm"],
                contrast=facts.pop("contrast"),
                facts=facts,
            )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError):
        return None


def _unpacked(bits: NDArray[np.uint8], shape: tuple[int, ...]) -> Mask:
    return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)


def _silent(text: str) -> None:
    """Say nothing."""
