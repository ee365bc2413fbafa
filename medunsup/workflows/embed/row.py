"""The features of one scan, kept so that a run that was ended goes on."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.batch import Outcome, attempt
from medunsup.cohort.encoders.folder import EncoderFolder, read_encoder
from medunsup.cohort.prepare import Prepared, key, prepare
from medunsup.cohort.prepare_many import Traits
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.tissue_fractions import template_priors, tissue_fractions
from medunsup.features.base import TISSUES, Feature, FeatureInput
from medunsup.io.files.npz import read_npz, write_npz

RECIPE = 1  # counts up when a row comes out otherwise, so that what was kept is not taken again

Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True)
class EncoderUsed:
    """The folder of an encoder, and the hash of its weights."""

    path: Path
    sha256: str


@dataclass(frozen=True, eq=False)
class RowTask:
    """One scan, and what is asked of it. `kinds` are those that no cohort is needed for."""

    request: ScanRequest
    spacing_mm: float
    kinds: Mapping[str, Feature]
    cache: Path
    encoder: EncoderUsed | None = None

    @property
    def prepared(self) -> str:
        """The name of the prepared scan in the cache. Raises InputError if the scan cannot be read."""
        return key(self.request, self.spacing_mm)

    @property
    def place(self) -> Path:
        """Where the row is kept. Raises InputError if the scan cannot be read."""
        return self.cache / f"{self.prepared}_{_asked(self)}_features.npz"


@dataclass(frozen=True)
class RowOutcome(Outcome):
    """What became of a scan: its numbers by kind, whether it belongs with the others, its prepared file."""

    numbers: Mapping[str, Floats] = field(default_factory=dict)
    traits: Traits | None = None
    prepared: str = ""


def do_row(task: RowTask, say: Say) -> RowOutcome:
    """Take the features of one scan; its error comes back as an outcome."""
    return attempt(task.request.path, RowOutcome, lambda: _done(task, say))


def feature_input(task: RowTask, *, tissues: bool, say: Say | None = None) -> FeatureInput:
    """Return a scan as kinds of features take it, prepared now or before."""
    return _input(task, prepare(task.request, task.spacing_mm, cache=task.cache, say=say), tissues=tissues)


def encoder_of(used: EncoderUsed) -> EncoderFolder:
    """Open an encoder, once a process."""
    return _opened(used)


def _done(task: RowTask, say: Say) -> RowOutcome:
    place = task.place
    kept = read_npz(place)
    if kept is None:
        kept = _measured(task, say)
        write_npz(place, kept)
    contrast, side, content = json.loads(str(kept["traits"]))
    numbers = {name: kept[f"of_{name}"] for name in _names(task)}
    traits = Traits(contrast, side, content)
    prepared = place.name.partition("_")[0]
    return RowOutcome(task.request.path, "done", numbers=numbers, traits=traits, prepared=prepared)


def _names(task: RowTask) -> list[str]:
    return [*task.kinds, *(["encoder"] if task.encoder else [])]


def _measured(task: RowTask, say: Say) -> dict[str, NDArray[Any]]:
    made = prepare(task.request, task.spacing_mm, cache=task.cache, say=say)
    say("features")
    found: dict[str, NDArray[Any]] = {
        "traits": np.array(json.dumps([made.contrast, max(made.spacing_mm), made.content]))
    }
    scan = _input(
        task, made, tissues=any(kind.needs_tissues and not kind.needs_volumes for kind in task.kinds.values())
    )
    if any(kind.needs_volumes for kind in task.kinds.values()):
        scan = replace(scan, volumes_ml=_volumes_ml(task, say))
    for name, kind in task.kinds.items():
        found[f"of_{name}"] = kind.transform(scan)
    if task.encoder:
        from medunsup.selfsupervised.encode import encode

        row = encode(encoder_of(task.encoder).network, made.values[None], made.mask[None])[0]
        found["of_encoder"] = row.astype(np.float64)
    return found


def _input(task: RowTask, made: Prepared, *, tissues: bool) -> FeatureInput:
    spacing_mm, fractions = task.spacing_mm, None
    if tissues:
        priors = _priors(spacing_mm)
        fractions = tissue_fractions(
            made.values, made.mask, priors, contrast=made.contrast, spacing_mm=spacing_mm
        )
    voxel_mm3 = spacing_mm**3 * abs(float(np.linalg.det(made.template_to_scan[:3, :3])))
    return FeatureInput(made.values, made.mask, voxel_mm3, fractions)


def _volumes_ml(task: RowTask, say: Say) -> tuple[float, float, float]:
    """Return GM, WM and CSF in ml as `segment` measures them: of the same scan the same numbers."""
    from medunsup.workflows.segment.request import make_request
    from medunsup.workflows.segment.scan import segment_scan
    from medunsup.workflows.segment.settings import SegmentSettings

    asked = task.request
    settings = SegmentSettings(**asked.reading.model_dump())
    found = segment_scan(make_request(asked.path, settings, mask=asked.mask), progress=say).volumes_ml
    gm, wm, csf = (found[tissue] for tissue in TISSUES)
    return gm, wm, csf


def _asked(task: RowTask) -> str:
    """Name what the numbers of a prepared scan follow from."""
    asked = {
        "recipe": RECIPE,
        "kinds": {name: kind.config.model_dump(mode="json") for name, kind in task.kinds.items()},
        "encoder": task.encoder.sha256 if task.encoder else "",
    }
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


_priors = cache(template_priors)


@cache
def _opened(used: EncoderUsed) -> EncoderFolder:
    return read_encoder(used.path)
