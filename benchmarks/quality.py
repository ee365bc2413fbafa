"""Does the quality verdict catch spoilt scans and leave good ones alone? Counts per kind of fault.

    python benchmarks/quality.py                # held-out scans: what docs/evidence/quality.md reports
    python benchmarks/quality.py --set tuning   # the scans the limits were chosen on
    python benchmarks/quality.py --only malf:1104 --verbose

Real scans come from MEDUNSUP_DATA (default ../shared/data), shrunk to about 2 mm so that a set takes minutes.
A fault is caught when the verdict is "check" or "fail"; either on a good scan is a false alarm.
After a fault in the mask the template is registered again, as `segment` would; a fault in the intensities
leaves it where it was.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

import numpy as np
from scipy import ndimage

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from helpers import faults  # noqa: E402

from medunsup.core.labels import class_table  # noqa: E402
from medunsup.core.record import Step  # noqa: E402
from medunsup.core.registry import method  # noqa: E402
from medunsup.core.volume import Volume  # noqa: E402
from medunsup.io.load import load  # noqa: E402
from medunsup.preprocess.brain_extraction.brain_mask import Brain, brain_mask  # noqa: E402
from medunsup.preprocess.geometry.crop import Box  # noqa: E402
from medunsup.preprocess.geometry.resample import shrink  # noqa: E402
from medunsup.preprocess.intensity.channels import scale_one  # noqa: E402
from medunsup.preprocess.intensity.evened import evened_out  # noqa: E402
from medunsup.preprocess.registration.affine import Registration, register_template  # noqa: E402
from medunsup.tissue.base import TissueInput  # noqa: E402
from medunsup.tissue.priors import tissue_priors  # noqa: E402
from medunsup.tissue.quality import Known, assess  # noqa: E402
from medunsup.tissue.result import Quality  # noqa: E402
from medunsup.workflows.segment.measure import measure  # noqa: E402

DATA = Path(os.environ.get("MEDUNSUP_DATA", ROOT.parent / "shared" / "data"))
ALARMS = ("check", "fail")


def _names(text: str) -> list[str]:
    return text.split()


SETS = {
    # Faults are made from `spoil`; `good` are looked at as they are; `named` are real scans called T1w.
    "tuning": {
        "spoil": _names("""malf:1000 malf:1002 malf:1007 malf:1010 malf:1015 t1:01 t1:05 t1:12 t1:33
            silver:voxelmorph/T1_norm head:dicom/brainix/nifti/T1.nii.gz"""),
        "good": _names("""t1:03 t1:08 t1:10 t1:15 t1:17 t1:20 t1:25 t1:27 t1:30 t1:35 t1:37 t1:40 t1:45 t1:47
            t1:50 malf:1005 malf:1019 malf:1036 silver:rorden/bet head:ms/patient07/T1.nii.gz
            head:healthy_flair/113-02-MPRAGE_processed_reg.nii.gz head:ms/patient07/T2.nii.gz@T2w
            head:ms/patient07/FLAIR.nii.gz@FLAIR head:dicom/brainix/nifti/T2.nii.gz@T2w
            head:dicom/brainix/nifti/FLAIR.nii.gz@FLAIR"""),
        "named": _names("""head:ms/patient07/T2.nii.gz head:ms/patient07/FLAIR.nii.gz
            head:dicom/brainix/nifti/T2.nii.gz head:dicom/brainix/nifti/FLAIR.nii.gz"""),
    },
    "held-out": {
        "spoil": _names("""malf:1104 malf:1119 t1:61 t1:65 head:heads/chris_t1.nii.gz
            head:healthy_t1_raw/sub-61_T1w.nii.gz"""),
        "good": _names("""malf:1113 malf:1128 t1:62 t1:63 t1:64 t1:66 head:heads/colin27_T1w.nii.gz
            head:heads/simulated01_T1w.nii.gz head:heads/simulated05_T1w.nii.gz
            head:healthy_t1_raw/sub-52_T1w.nii.gz head:healthy_t1_raw/sub-53_T1w.nii.gz
            head:healthy_t1_raw/sub-62_T1w.nii.gz head:ms/patient19/T1.nii.gz head:ms/patient19/T2.nii.gz@T2w
            head:ms/patient19/FLAIR.nii.gz@FLAIR
            head:healthy_flair/113-02-FLAIR_processed_reg.nii.gz@FLAIR"""),
        "named": _names("""head:ms/patient19/T2.nii.gz head:ms/patient19/FLAIR.nii.gz
            head:healthy_flair/113-02-FLAIR_processed_reg.nii.gz"""),
    },
}


@dataclass(frozen=True)
class Case:
    """One scan to be judged, with the fault it carries."""

    fault: str
    image: Volume
    mask: Volume
    registration: Registration | None = None
    contrast: str = "T1w"
    is_head: bool = False


@dataclass(frozen=True)
class Found:
    """What became of one case."""

    scan: str
    fault: str
    quality: Quality
    cpu_s: float


def main() -> None:
    options = argparse.ArgumentParser(description="Count faults caught and false alarms of the verdict.")
    options.add_argument("--set", choices=SETS, default="held-out")
    options.add_argument("--only", nargs="*", help="scans to spoil instead, such as malf:1104")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--verbose", action="store_true")
    chosen = options.parse_args()
    found = []
    for one in run({"spoil": chosen.only} if chosen.only else SETS[chosen.set], chosen.jobs):
        found.append(one)
        if chosen.verbose:
            reason = one.quality.reasons[0] if one.quality.reasons else ""
            print(f"{one.scan[-30:]:30s} {one.fault:26s} {one.quality.verdict:5s} {reason}", flush=True)
    print_table(found)


def run(scans: dict[str, list[str]], jobs: int) -> Iterator[Found]:
    """Judge every case of a set, scan by scan."""
    todo = [(kind, name) for kind in ("spoil", "good", "named") for name in scans.get(kind, [])]
    with ProcessPoolExecutor(jobs) as pool:
        for found in pool.map(run_scan, *zip(*todo, strict=True)):
            yield from found


def run_scan(kind: str, name: str) -> list[Found]:
    """Judge one scan as it is and, if it is to be spoilt, in every spoilt state."""
    where, _, contrast = name.partition("@")
    image, mask, registration, is_head = read(where)
    fault = "wrong contrast: real scan" if kind == "named" else "good"
    cases = [Case(fault, image, mask, registration, contrast or "T1w")]
    more = spoilt(image, mask, registration, is_head=is_head) if kind == "spoil" else iter(())
    return [judge(name, _told(case, is_head)) for case in (*cases, *more)]


def _told(case: Case, is_head: bool) -> Case:
    """Say whether a case still has its skull: a fault that strips it says so in its name."""
    return replace(case, is_head=is_head and not case.fault.endswith("scan too"))


def read(name: str) -> tuple[Volume, Volume, Registration, bool]:
    """Read a scan at about 2 mm with its mask and registration; whether the skull is still there."""
    kind, _, key = name.partition(":")
    if kind == "head":
        image, step = shrink(load(DATA / key)), Step("mask")
        mask, registration = brain_mask(image, step=step)
        return image, mask, registration, not step.findings["already_stripped"]
    if kind == "malf":
        image = shrink(load(DATA / f"tissue_malf/{key}_T1w.nii.gz"))
        region = shrink(load(DATA / f"tissue_malf/{key}_mask.nii.gz")).data > 0.5
    else:
        path = f"healthy_t1_2mm/sub-{key}_T1w.nii.gz" if kind == "t1" else f"tissue_silver/{key}.nii.gz"
        image = shrink(load(DATA / path))
        region = np.asarray(ndimage.binary_fill_holes(image.data > 0))
    mask = image.like(region, kind="mask")
    return image, mask, registered(image, mask), False


def registered(image: Volume, mask: Volume) -> Registration:
    return register_template(image, mask, step=Step("template"))


def spoilt(image: Volume, mask: Volume, registration: Registration, *, is_head: bool) -> Iterator[Case]:
    """Spoil a T1w scan in every way."""
    yield from _cut(image, mask, registration)
    yield from _loose(image, mask, is_head=is_head)
    yield Case("wrong contrast: inverted", faults.inverted(image, mask), mask, registration)
    yield Case("wrong contrast: named", image, mask, registration, "T2w")
    yield Case("wrong contrast: named", image, mask, registration, "FLAIR")
    ways: list[dict[str, float]] = [{"shift_mm": 25, "axis": 0}, {"shift_mm": 25, "axis": 1}]
    ways += [{"turn_deg": 40, "axis": 0}, {"turn_deg": 40, "axis": 2}, {"scale": 1.3}]
    for how in (*ways, {"mirror": True, "axis": 2}):
        yield Case(
            f"misregistered: {next(iter(how))}", image, mask, faults.misregistered(registration, **how)
        )
    for name, ghosts in _ghosts(image):
        seen = ghosts if is_head else faults.stripped(ghosts, mask)
        yield Case(name, seen, mask, registration)


def _cut(image: Volume, mask: Volume, registration: Registration) -> Iterator[Case]:
    for side in ("left", "front"):
        yield Case(f"cut mask: {side} 15 %", image, faults.cut(mask, side))
    for name, smaller in (
        ("top 15 %", faults.cut(mask, "top")),
        ("cerebellum", faults.without_cerebellum(mask, registration)),
        ("eroded 4 mm", faults.eroded(mask, 4.0)),
        ("eroded 8 mm", faults.eroded(mask, 8.0)),
    ):
        yield Case(f"cut mask: {name}", image, smaller)
        yield Case(f"cut mask: {name}, scan too", faults.stripped(image, smaller), smaller)


def _loose(image: Volume, mask: Volume, *, is_head: bool) -> Iterator[Case]:
    yield Case("loose mask: 6 mm", image, faults.dilated(mask, 6))
    yield Case("loose mask: 8 mm", image, faults.dilated(mask, 8))
    yield Case("loose mask: box", image, faults.boxed(mask))
    if is_head:
        yield Case("loose mask: neck and eyes", image, faults.with_neck_and_eyes(mask, image))
        wide = faults.dilated(mask, 8)
        yield Case("loose mask: 8 mm, scan too", faults.stripped(image, wide), wide)


def _ghosts(image: Volume) -> Iterator[tuple[str, Volume]]:
    yield "heavy ghosts: 0.7", faults.ghosted(image, 0.7)
    yield "heavy ghosts: 0.7", faults.ghosted(image, 0.7, axis=0)
    yield "heavy motion: 4 mm", faults.moved(image, 4)
    yield "heavy motion: 4 mm", faults.moved(image, 4, axis=0, seed=1)
    yield "(mild ghosts: 0.3)", faults.ghosted(image, 0.3)
    yield "(mild motion: 1 mm)", faults.moved(image, 1)


def judge(scan: str, case: Case) -> Found:
    """Segment one case with the default method and ask for the verdict."""
    registration = case.registration or registered(case.image, case.mask)
    even, found = case.image, Brain(case.mask, registration, is_stripped=not case.is_head)
    if case.contrast == "T1w" and case.registration is None:
        even, _ = evened_out(case.image, found, lambda scan, step: found, step=Step("brain mask"))
    box = Box.around(case.mask.data)
    image, mask = box.take(even), box.take(case.mask)
    intensity = scale_one(image, case.contrast, mask.data, Step("normalise"))[0][None]
    priors = tissue_priors(image, mask, registration) if registration.fits else None
    labels = class_table(3)
    data = TissueInput(intensity, mask.data, image.spacing_mm, (case.contrast,), labels, priors)
    fitted = method("tissue", "atlas_gmm")().fit(data)
    volumes = measure(data, fitted, image.voxel_volume_mm3, Step("volumes"))
    begun = process_time()
    known = Known(is_stripped=not case.is_head)
    quality = assess(data, fitted, volumes, registration, scan=even, origin=box.origin, known=known)
    return Found(scan, case.fault, quality, process_time() - begun)


def print_table(found: list[Found]) -> None:
    """Print counts per fault, then totals; mild faults (in brackets) are shown and not counted."""
    kinds: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        kinds[one.fault].append(one)
    print("| fault | n | check | fail | caught |\n| --- | --- | --- | --- | --- |")
    for fault in sorted(kinds):
        verdicts = [one.quality.verdict for one in kinds[fault]]
        caught = sum(verdict in ALARMS for verdict in verdicts)
        counts = f"{len(verdicts)} | {verdicts.count('check')} | {verdicts.count('fail')}"
        print(f"| {fault} | {counts} | {100 * caught / len(verdicts):.0f} % |")
    spoiled = [one for one in found if one.fault != "good" and not one.fault.startswith("(")]
    good = kinds["good"]
    missed = [one for one in spoiled if one.quality.verdict not in ALARMS]
    alarms = [one for one in good if one.quality.verdict in ALARMS]
    print(
        f"\nCaught {len(spoiled) - len(missed)} of {len(spoiled)}; false alarms {len(alarms)} of {len(good)}."
    )
    print(f"CPU seconds a verdict: median {np.median([one.cpu_s for one in found]):.2f}.")
    for one in (*missed, *alarms):
        reason = f": {one.quality.reasons[0]}" if one.quality.verdict in ALARMS else ""
        print(f"- {one.scan}, {one.fault}, {one.quality.verdict}{reason}")


if __name__ == "__main__":
    main()
