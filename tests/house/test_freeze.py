"""The script that watches over a change of layout says the same each time, and about every kind of output."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "helpers" / "freeze.py"
TABLES = {
    # the table in docs/ that names what a verb writes -> folders of the freeze that hold it
    ("outputs.md", "| file | what |"): ("segment", "segment_many"),
    ("train.md", "| in the model folder | what |"): ("atlas", "ae"),
    ("detect.md", "| file | what |"): ("detect", "detect_many"),
    ("evaluate.md", "| file | one row a |"): ("evaluate_atlas",),
}
BESIDE = ("dataset_description.json", "README.md", ".bidsignore", "dseg.tsv", "volumes.tsv", "colours/")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory) -> tuple[str, str]:
    """What two processes print that differ in folder, hash seed and the order of the environment."""
    runs = []
    for seed, folder, turn in (("0", "one", 1), ("4711", "another/and deeper", -1)):
        where = tmp_path_factory.mktemp("frozen") / folder
        where.mkdir(parents=True)
        variables = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        environment = dict(sorted(variables.items())[::turn])
        words = [sys.executable, str(SCRIPT), "out" if turn == 1 else str(where / "x")]
        runs.append(subprocess.Popen(words, cwd=where, env=environment, stdout=subprocess.PIPE, text=True))
    first, second = (run.communicate()[0] for run in runs)
    assert [run.returncode for run in runs] == [0, 0]
    return first, second


def documented(page: str, head: str) -> list[str]:
    """Regular expressions of the files that a table of docs/ names."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    rows = text[text.index(head) :].split("\n\n")[0].splitlines()[2:]
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    names = [name for name in names if name != ".json"]  # one a map, beside it
    return [_pattern(name) for name in names]


def _pattern(name: str) -> str:
    """`scan_` stands for any scan, `...` for what the scan is called; the rest is the file's own name."""
    own = re.escape(re.sub(r"^scan_|^\.\.\._|^(?=-)", lambda start: "..." + start[0][-1:], name))
    return "(.*/)?" + own.replace(re.escape("..."), ".*")


def test_two_processes_in_two_folders_print_the_same(frozen):
    first, second = (text.splitlines() for text in frozen)
    assert sorted(set(first) ^ set(second)) == []
    assert first == second


def test_paths_are_sorted_and_name_no_folder_of_the_machine(frozen):
    lines = [line.split("  ", 1) for line in frozen[0].splitlines()]
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value, _ in lines)
    paths = [path for _, path in lines]
    assert paths == sorted(paths)
    assert not [path for path in paths if path.startswith(("/", ".."))]


@pytest.mark.parametrize(("page", "head"), TABLES, ids=lambda value: value)
def test_every_output_that_the_docs_name_is_watched(page, head, frozen):
    folders = TABLES[page, head]
    paths = [line.split("  ", 1)[1] for line in frozen[0].splitlines()]
    paths = [path.split("/", 1)[1] for path in paths if path.split("/")[0] in folders]
    expected = documented(page, head)
    assert len(expected) >= 6
    missing = [name for name in expected if not any(re.match(name, path) for path in paths)]
    assert not missing


def test_every_map_has_a_sidecar_and_every_folder_its_tables(frozen):
    paths = [line.split("  ", 1)[1] for line in frozen[0].splitlines()]
    maps = [path for path in paths if path.endswith(".nii.gz") and "/prior/" not in path]
    assert len(maps) > 50
    assert {path.replace(".nii.gz", ".json") for path in maps} <= set(paths)
    for name in BESIDE:
        assert [path for path in paths if path.startswith(f"segment_many/{name}")]
