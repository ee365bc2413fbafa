"""Adding a method touches one file: a toy dropped beside the others is listed, offered, run and tested."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOY = '''"""Thresholds a third and two thirds of the way: a method in one file."""

import numpy as np
from pydantic import Field

from medunsup.core.registry import register
from medunsup.tissue.textbook import Fitted, TextbookConfig, TextbookMethod


class ToyConfig(TextbookConfig):
    """Parameters of the toy."""

    sharpness: float = Field(1.0, gt=0, description="unused by the toy")


@register(
    "toy",
    family="thresholds",
    dims=(2, 3),
    paper="Nobody (2026), A toy.",
    limit="Only there to show that one file is enough.",
)
class Toy(TextbookMethod):
    """Nearest of three fixed quantiles."""

    Config = ToyConfig

    def _fit(self, sample, n_classes):
        from types import SimpleNamespace

        centers = np.stack([sample.min(axis=0), np.median(sample, axis=0), sample.max(axis=0)])[:n_classes]
        model = SimpleNamespace(centers=centers, n_iter_=1)
        return Fitted(model, np.full(n_classes, 1 / n_classes), centers, np.ones_like(centers), (0.0,), True)

    def _probabilities(self, model, values):
        distance = ((values[:, None] - model.centers) ** 2).sum(axis=2)
        return (distance.argmin(axis=1)[:, None] == np.arange(len(model.centers))).astype(float)
'''


@pytest.fixture(scope="module")
def tree(tmp_path_factory, repository) -> Path:
    """A copy of the package and its tests with one file more."""
    root = tmp_path_factory.mktemp("tree")
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("medunsup", "configs", "tests"):
        shutil.copytree(repository / folder, root / folder, ignore=ignore)
    shutil.copy(repository / "pyproject.toml", root)
    (root / "medunsup" / "tissue" / "methods" / "toy.py").write_text(TOY, encoding="utf-8")
    return root


def run(tree: Path, *words: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(tree), "MPLBACKEND": "Agg"}
    return subprocess.run(
        [sys.executable, *words], cwd=tree, env=environment, capture_output=True, text=True, timeout=300
    )


def medunsup(tree: Path, *words: str) -> subprocess.CompletedProcess:
    return run(tree, "-c", "from medunsup.cli.main import run; run()", *words)


def test_toy_is_listed_with_its_card(tree):
    done = medunsup(tree, "methods", "tissue")
    assert done.returncode == 0, done.stderr
    assert "toy" in done.stdout
    assert "Only there to show that one file is enough." in done.stdout


def test_toy_is_the_nearest_word_to_a_slip(tree):
    code = "from medunsup.core.registry import method; method('tissue', 'toyy')"
    done = run(tree, "-c", code)
    assert "Did you mean 'toy'?" in done.stderr


def test_toy_parameters_are_checked_by_name(tree):
    code = "from medunsup.core.registry import method; method('tissue', 'toy').Config.parse({'sharpnes': 1})"
    assert "did you mean 'sharpness'" in run(tree, "-c", code).stderr


def test_toy_is_in_the_contract_tests_and_runs_there(tree):
    words = ("tests/tissue/test_methods_contract.py", "-q", "-p", "no:cacheprovider")
    chosen = "toy and (sum_to_one or stay_inside or same_bytes or refused or shapes_and_types)"
    done = run(tree, "-m", "pytest", *words, "-k", chosen)
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout


@pytest.mark.slow
def test_toy_can_be_chosen_on_the_command_line(tree, brain, tmp_path):
    from helpers.phantom import save

    scan, mask = save(brain.image(), tmp_path / "head_T1w.nii"), tmp_path / "mask.nii"
    save(brain.mask, mask, dtype="uint8")
    done = medunsup(
        tree, "segment", str(scan), "--mask", str(mask), "--method", "toy", "-o", str(tmp_path / "out")
    )
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "out").rglob("*_dseg.nii.gz"))
