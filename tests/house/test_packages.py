"""The built packages hold what they need: installed into a fresh environment they run far from the checkout.

The environment borrows all dependencies from the one that tests run in, so nothing is downloaded.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest
from helpers.documents import ROOT

from medunsup import __version__

pytestmark = pytest.mark.slow
NEEDED = (
    "medunsup/py.typed",
    "medunsup/models/t1w_2mm_atlas/model.json",
    "medunsup/report/templates/page.html.j2",
)


def call(words: list[str], folder: Path) -> str:
    """Run a command as a user does, who has no PYTHONPATH that leads to the checkout."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(words, cwd=folder, env=kept, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """Wheel and sdist, the wheel from the sdist's content."""
    out = tmp_path_factory.mktemp("built")
    code = f"import sys; from hatchling.build import build_sdist; print(build_sdist({str(out)!r}))"
    call([sys.executable, "-c", code], ROOT)
    (sdist,) = out.glob("*.tar.gz")
    with tarfile.open(sdist) as packed:
        packed.extractall(out, filter="data")
    unpacked = out / sdist.name.removesuffix(".tar.gz")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(out)!r}))"
    call([sys.executable, "-c", code], unpacked)
    (wheel,) = out.glob("*.whl")
    return {"sdist": sdist, "wheel": wheel}


def installed(package: Path, folder: Path) -> Path:
    """Install a package into an environment of its own; return the folder of its programs."""
    call([sys.executable, "-m", "venv", str(folder)], folder.parent)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    python = str(programs / "python")
    where = call([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    Path(where, "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    how = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
    call([python, "-m", "pip", "install", "-q", *how, str(package)], folder)
    return programs


def test_sdist_and_wheel_hold_what_is_needed(built):
    with tarfile.open(built["sdist"]) as packed:
        names = {name.split("/", 1)[-1] for name in packed.getnames()}
    assert {
        *NEEDED,
        "configs/segment/default.yaml",
        "LICENSE",
        "NOTICE",
        "README.md",
        "constraints.txt",
    } <= names
    assert not [name for name in names if name.startswith(("site/", "docs/generated/", "docs/gallery/"))]
    with zipfile.ZipFile(built["wheel"]) as packed:
        names = set(packed.namelist())
        (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = packed.read(about).decode("utf-8")
    assert {*NEEDED, "medunsup/configs/segment/default.yaml"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "examples/"))]
    assert "Classifier: Typing :: Typed" in metadata
    assert "Requires-Python: >=3.11" in metadata


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_package_runs_the_demo_outside_the_checkout(kind, built, tmp_path):
    programs = installed(built[kind], tmp_path / "environment")
    away = tmp_path / "away"
    away.mkdir()
    home = call([str(programs / "python"), "-c", "import medunsup; print(medunsup.__file__)"], away)
    assert Path(home.strip()).is_relative_to(tmp_path / "environment")
    medunsup = str(programs / "medunsup")
    assert call([medunsup, "--version"], away).split()[1] == __version__
    if kind == "sdist":
        assert "atlas_gmm" in call([medunsup, "methods", "tissue"], away)
        return
    call([medunsup, "demo"], away)
    assert list(away.rglob("*_report.html"))
    assert list(away.rglob("*_dseg.nii.gz"))
