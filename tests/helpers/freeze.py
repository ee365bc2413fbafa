"""One line a result file, SHA-256 and path, of a fixed set of runs: a change of layout must not change them.

    python tests/helpers/freeze.py OUT_FOLDER > before.txt

Scans are made up, seeds fixed, one thread. Only the public API and the command line are used, so that the
script outlives what it watches over. What may differ between two runs or two versions is what the constants
below name, and nothing else; images and weights count by their values, not by how they are packed. No result
holds a time or a folder, so none is taken out: one that did would show here.
"""

import os

THREADS = ("OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "MKL_NUM_THREADS")
os.environ.update(dict.fromkeys(THREADS, "1"))  # before numpy and torch read them

import json  # noqa: E402
import re  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from hashlib import sha256  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import nibabel  # noqa: E402
import numpy as np  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

import medunsup  # noqa: E402
from helpers.dicom_maker import make_slices, write_slices  # noqa: E402
from helpers.phantom import Anatomy, make_anatomy, save  # noqa: E402

# In JSON: speed, versions, in which module a method lies. A table of file hashes goes too; those files are in
# the list themselves.
DROPPED_KEYS = {"samples_per_s", "seconds", "Version", "Versions", "module"}
TABLE_OF_HASHES = "SHA256"
# In text, pages and JSON.
REPLACED = ((re.compile(rf"(?<![\d.]){re.escape(medunsup.__version__)}(?![\d.]*\d)"), "VERSION"),)
# In paths: files that are kept to be used again are named by a hash of all that they depend on.
KEYS = re.compile(r"[0-9a-f]{24,}")

N_HEALTHY, ILL = 8, (90, 98, 99)  # the first of the ill is not
SPOT = np.s_[12:17, 14:19, 10:15]
QUICK = {"spacing_mm": 8.0, "min_cluster_mm3": 0.0, "postprocess": ()}
RESULTS = "results"


def freeze(out: Path) -> list[str]:
    """Run everything below `out`, an empty or new folder, and return one line a result file."""
    scans, results = out / "scans", out / RESULTS
    results.mkdir(parents=True)
    for step in (segment, train, detect, evaluate):
        sys.stderr.write(f"{step.__name__} ...\n")
        step(scans, results)
    return list(lines(results))


def segment(scans: Path, out: Path) -> None:
    """Segment a head by default, two contrasts, a DICOM series by command, and two scans as a cohort."""
    head = make_anatomy(spacing_mm=(5, 5, 5), head=True)
    scan = write(head.image("T1w"), scans / "head_T1w.nii.gz")
    medunsup.segment(scan, out=out / "segment")

    brain = make_anatomy(spacing_mm=(5, 5, 5))
    mask = write(brain.mask, scans / "brain_mask.nii.gz", dtype=np.uint8)
    first, second = (write(brain.image(name), scans / f"brain_{name}.nii.gz") for name in ("T1w", "T2w"))
    medunsup.segment(first, mask=mask, with_contrasts={"T2w": second}, out=out / "segment_contrasts")

    series = write_series(brain, scans / "series")
    options = ["--method", "gmm", "--mask", str(mask), "--contrast", "T1w", "--json"]
    command(out / "methods.json", "methods", "--json")
    command(out / "segment_dicom.json", "segment", str(series), "-o", str(out / "segment_dicom"), *options)

    cohort = [write_person(scans / "cohort" / f"sub-{n:02d}_T1w.nii.gz", brain, 50 + n) for n in (1, 2)]
    medunsup.segment_many(cohort, out / "segment_many", method="kmeans")


def train(scans: Path, out: Path) -> None:
    """Train an atlas and a small network on the same healthy scans."""
    brain = make_anatomy(spacing_mm=(5, 5, 5))
    for n in range(N_HEALTHY):
        write_person(scans / "healthy" / f"sub-{n:02d}_T1w.nii.gz", brain, n)
    card = scans / "card.md"
    card.write_text("# Made-up brains\n\nEllipsoids, no patient.\n", encoding="utf-8")
    common = {"cache": scans / "cache", **QUICK}
    medunsup.train("healthy_atlas", scans / "healthy", out / "atlas", score="deviation", card=card, **common)
    parameters = {"epochs": 5, "channels": 4}
    medunsup.train("ae", scans / "healthy", out / "ae", parameters=parameters, **common)


def detect(scans: Path, out: Path) -> None:
    """Detect in one scan beside the baselines, and in several with their page."""
    brain = make_anatomy(spacing_mm=(5, 5, 5))
    ill = [write_person(scans / "ill" / f"sub-{n}_T1w.nii.gz", brain, n, spot=n > 90) for n in ILL]
    cache = scans / "cache"
    medunsup.detect(ill[-1], out / "ae", out / "detect", baselines=True, cache=cache)
    medunsup.detect_many(ill, out / "atlas", out / "detect_many", cache=cache)


def evaluate(scans: Path, out: Path) -> None:
    """Evaluate both models on two patients and a healthy scan, the atlas on synthetic lesions as well."""
    lesion = np.zeros(make_anatomy(spacing_mm=(5, 5, 5)).mask.shape, np.uint8)
    lesion[SPOT] = 1
    first = nibabel.load(scans / "ill" / "sub-99_T1w.nii.gz")
    nibabel.save(nibabel.Nifti1Image(lesion, first.affine), scans / "lesion.nii.gz")
    table = scans / "cases.tsv"
    rows = [(f"ill/sub-{n}_T1w.nii.gz", "lesion.nii.gz" if n > 90 else "", str(n)) for n in ILL]
    text = "\n".join("\t".join(row) for row in [("scan", "lesions", "subject"), *rows])
    table.write_text(text + "\n", encoding="utf-8")
    cache = scans / "cache"
    medunsup.evaluate(out / "atlas", table, out / "evaluate_atlas", synthetic=True, cache=cache)
    medunsup.evaluate(out / "ae", table, out / "evaluate_ae", cache=cache)


def write(image: Any, path: Path, **how: Any) -> Path:
    """Save a made-up scan, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return save(image, path, **how)


def write_person(path: Path, brain: Anatomy, seed: int, *, spot: bool = False) -> Path:
    """Write a stripped brain that differs from others by noise and bias; `spot` is half as bright again."""
    image = brain.image(seed=seed, noise=0.02, bias=0.2 + 0.01 * (seed % 5))
    values = np.where(brain.mask.data, image.data, 0).astype(np.float32)
    if spot:
        values[SPOT] *= 1.5
    return write(image.like(values), path)


def write_series(brain: Anatomy, folder: Path) -> Path:
    """Write the brain as a DICOM series on the grid of its mask, with identifiers that do not change."""
    image = brain.image()
    corner = image.affine @ [image.shape[0] - 1, image.shape[1] - 1, 0, 1]
    voxels = image.data[::-1, ::-1].round().astype(np.uint16)
    origin = (-corner[0], -corner[1], corner[2])
    slices = make_slices(voxels, spacing=(5.0, 5.0), gap=5.0, origin=origin, uid="1.2.3")
    for number, item in enumerate(slices):
        item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number + 1}"
    return write_slices(slices, folder)


def command(stdout: Path, *words: str) -> None:
    """Run `medunsup ...` and keep what it prints, without the folder."""
    program = Path(sys.executable).with_name("medunsup")
    done = subprocess.run([program, *words], check=True, capture_output=True, text=True)
    stdout.write_text(done.stdout.replace(str(stdout.parent.parent), "OUT"), encoding="utf-8")


def lines(folder: Path) -> Iterator[str]:
    """Give SHA-256 and path of each file, sorted by path."""
    files = (path for path in folder.rglob("*") if path.is_file())
    named = [(KEYS.sub("KEY", path.relative_to(folder).as_posix()), path) for path in files]
    hashes = sorted((name, sha256(content(path)).hexdigest()) for name, path in named)
    yield from (f"{value}  {name}" for name, value in hashes)


def content(path: Path) -> bytes:
    """Give what must not change of a file."""
    for ending, read in READERS.items():
        if path.name.endswith(ending):
            return read(path)
    return path.read_bytes()


def _image(path: Path) -> bytes:
    image = nibabel.load(path)
    values, header = np.asanyarray(image.dataobj), image.header
    return b"".join(
        (
            f"{values.dtype.str} {values.shape} {header.get_xyzt_units()} ".encode(),
            f"{int(header['qform_code'])} {int(header['sform_code'])} ".encode(),
            _plain(header["descrip"].item().decode()).encode(),
            np.ascontiguousarray(values).tobytes(),
            image.affine.tobytes(),
            (image.get_qform() if header["qform_code"] else np.eye(4)).tobytes(),
        )
    )


def _arrays(path: Path) -> bytes:
    arrays = load_file(path)
    return b"".join(
        f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode() + arrays[name].tobytes()
        for name in sorted(arrays)
    )


def _json(path: Path) -> bytes:
    text = path.read_text(encoding="utf-8")
    documents = [text] if path.suffix == ".json" else text.splitlines()
    return _plain("\n".join(json.dumps(_kept(json.loads(one))) for one in documents)).encode()


def _kept(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _kept(item) for key, item in value.items() if not _is_dropped(key, item)}
    return [_kept(item) for item in value] if isinstance(value, list) else value


def _is_dropped(key: str, item: Any) -> bool:
    return key in DROPPED_KEYS or (key == TABLE_OF_HASHES and isinstance(item, dict))


def _text(path: Path) -> bytes:
    return _plain(path.read_text(encoding="utf-8")).encode()


def _plain(text: str) -> str:
    for pattern, instead in REPLACED:
        text = pattern.sub(instead, text)
    return text


READERS: dict[str, Callable[[Path], bytes]] = {
    ".nii.gz": _image,
    ".safetensors": _arrays,
    ".json": _json,
    ".jsonl": _json,
    ".html": _text,
    ".md": _text,
}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write("\n".join(freeze(Path(sys.argv[1]).resolve())) + "\n")
