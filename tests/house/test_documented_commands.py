"""What README, CONTRIBUTING and docs/ tell a user to type works as it stands there.

Each command and each `python` block runs by itself, in a folder of its own. It holds the scans that they
name: `scan.nii.gz`, `brain.nii.gz` (its mask), `second.nii.gz` (T2w of the same head), `DICOM_FOLDER`,
`healthy` with scans of a few people, tables `features.csv` and `new.csv`, a small BIDS folder `sub-*/anat`;
and what another documented command makes, such as a model.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from helpers.documents import ROOT, documents
from helpers.hospital import archive_of, listens, run_listener

DOCUMENTS = documents()
PYTEST = ["pytest", "-n", "2", "--dist", "loadfile"]
SET_UP = ["git", "cd", "python3", "source"]
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(document: Path) -> list[tuple[str, str]]:
    """(language, code) of each block that a reader may copy."""
    return BLOCK.findall(document.read_text(encoding="utf-8"))


def commands(document: Path) -> list[list[str]]:
    """Every command line as words, comments left out, `&&` split."""
    found = []
    for language, code in blocks(document):
        for line in code.replace("\\\n", " ").splitlines() if language == "bash" else []:
            words = shlex.split(line, comments=True)
            while "&&" in words:
                found.append(words[: words.index("&&")])
                words = words[words.index("&&") + 1 :]
            found.append(words)
    return [words for words in found if words]


def of(program: str) -> list[list[str]]:
    return [words for document in DOCUMENTS for words in commands(document) if words[0] == program]


def shell(line: str, folder: Path, timeout: int = 400) -> subprocess.CompletedProcess:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=timeout
    )


def test_readme_begins_with_a_set_up_and_the_two_commands():
    words = commands(ROOT / "README.md")
    assert [each[0] for each in words[:4]] == SET_UP
    assert words[4:6] == [["pip", "install", "-c", "constraints.txt", "."], ["medunsup", "demo"]]
    assert words[6:8] == [["pip", "install", "-c", "constraints.txt", ".[test]"], PYTEST]


def test_every_program_named_is_one_that_is_checked_here():
    checked = {"medunsup", "pip", "pytest", "pre-commit", "python", "lint-imports", *SET_UP}
    assert {words[0] for document in DOCUMENTS for words in commands(document)} <= checked


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this copy is no clone")
def test_set_up_ends_in_a_clone_with_an_environment_of_its_own(tmp_path):
    _, code = blocks(ROOT / "README.md")[0]
    lines = code.replace("ADDRESS medunsup", f"-q {shlex.quote(str(ROOT))} medunsup", 1)
    tell = "python -c 'import sys; print(sys.prefix != sys.base_prefix, sys.prefix)'; ls"
    done = shell(f"set -e\n{lines}\n{tell}", tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    prefix, *files = done.stdout.splitlines()
    assert prefix == f"True {tmp_path / 'medunsup' / '.venv'}"
    assert {"README.md", "constraints.txt", "pyproject.toml"} <= set(files)


@pytest.mark.parametrize("words", of("medunsup"), ids=" ".join)
def test_options_named_exist(words, tmp_path):
    verb = words[1:2] if not words[1].startswith("-") else []
    text = shell(shlex.join(["medunsup", *verb, "--help"]), tmp_path).stdout
    options = [word.split("=")[0] for word in words if word.startswith("-")]
    assert not [option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", text)]


@pytest.mark.parametrize("words", of("pip"), ids=" ".join)
def test_extras_and_files_that_pip_is_given_exist(words):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert words[1] == "install"
    for word in words[2:]:
        named = re.search(r"\[(.*)\]", word)
        extras = named[1].split(",") if named else []
        assert set(extras) <= set(project["optional-dependencies"])
    if "-c" in words:
        assert (ROOT / words[words.index("-c") + 1]).is_file()


@pytest.mark.parametrize("words", of("pytest") + of("python"), ids=" ".join)
def test_files_that_python_and_pytest_are_given_exist(words):
    for word in words[1:]:
        if word.endswith(".py"):
            assert (ROOT / word).is_file()


def test_links_lead_somewhere():
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    """A folder with the scans that documents name."""
    import numpy as np
    from helpers.dicom_maker import make_slices, write_slices
    from helpers.feature_tables import write_groups
    from helpers.phantom import make_anatomy, save

    folder = tmp_path_factory.mktemp("scans")
    head = make_anatomy(spacing_mm=(2.5, 2.5, 2.5), head=True)
    save(head.image("T1w"), folder / "scan.nii.gz")
    save(head.image("T2w", seed=1), folder / "second.nii.gz")
    save(head.mask, folder / "brain.nii.gz", dtype=np.uint8)
    for n in (1, 2):
        anat = folder / f"sub-0{n}" / "anat"
        anat.mkdir(parents=True)
        save(head.image("T1w", seed=n), anat / f"sub-0{n}_T1w.nii.gz")
    (folder / "healthy").mkdir()
    for n in range(8):
        image = head.image("T1w", seed=10 + n)
        brain = image.like(np.where(head.mask.data, image.data, 0))
        save(brain, folder / "healthy" / f"sub-{n}_T1w.nii.gz")
    (folder / "DICOM_FOLDER").mkdir()
    voxels = head.image("T1w").data[::-1, ::-1].round().astype(np.uint16)
    write_slices(make_slices(voxels, spacing=(2.5, 2.5), gap=2.5), folder / "DICOM_FOLDER")
    write_groups(folder / "features.csv", 80)
    write_groups(folder / "new.csv", 4)
    return folder


def output_of(words: list[str]) -> str:
    return words[words.index("-o") + 1].rstrip("/") if "-o" in words else ""


MAKERS = {output_of(words): words for words in reversed(of("medunsup")) if output_of(words)}


def run_words(words: list[str], folder: Path) -> None:
    if listens(words):
        assert ": done" in run_listener(words, folder, "DICOM_FOLDER")
        return
    with archive_of(words):
        done = shell(" ".join(word if "*" in word else shlex.quote(word) for word in words), folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def made(scans, tmp_path_factory):
    """What a documented command makes under the name it gives, made once."""
    kept = {}

    def make(name: str) -> Path:
        if name not in kept:
            folder = tmp_path_factory.mktemp("made")
            shutil.copytree(scans, folder, dirs_exist_ok=True)
            run_words(MAKERS[name], folder)
            kept[name] = folder / name
        return kept[name]

    return make


@pytest.fixture
def folder(scans, made, tmp_path):
    """A folder with the scans, and with whatever of `names` other commands make."""

    def fill(names: list[str]) -> Path:
        shutil.copytree(scans, tmp_path, dirs_exist_ok=True)
        for name in {name.rstrip("/") for name in names} & set(MAKERS):
            shutil.copytree(made(name), tmp_path / name)
        return tmp_path

    return fill


@pytest.mark.slow
@pytest.mark.parametrize("words", of("medunsup"), ids=" ".join)
def test_command_runs_as_documented(words, folder):
    run_words(words, folder([word for word in words if word.rstrip("/") != output_of(words)]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "code",
    [code for document in DOCUMENTS for language, code in blocks(document) if language == "python"],
    ids=lambda code: code.splitlines()[0],
)
def test_python_block_runs_as_documented(code, folder):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder(re.findall(r'"([^"\n]+)"', code)),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_pipeline_prints_volumes_and_agreement(scans, tmp_path):
    words = [
        str(ROOT / "pipelines" / "brain_tissue.py"),
        "scan.nii.gz",
        str(tmp_path / "out"),
        "brain.nii.gz",
    ]
    done = subprocess.run([sys.executable, *words], cwd=scans, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count(" ml ") == 3
    assert done.stdout.count("Dice") == 3
    assert list((tmp_path / "out").rglob("*_report.html"))


def test_pipeline_without_a_scan_says_how_to_call_it():
    done = subprocess.run(
        [sys.executable, str(ROOT / "pipelines" / "brain_tissue.py")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "python pipelines/brain_tissue.py" in done.stderr
