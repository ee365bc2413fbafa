"""The package stays easy to walk through: small files, short functions, folders read at a glance."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

FLAT = ("workflows", "report", "cohort", "cli")  # folders that grow with every verb
MOST_FILES = 20
MEDIAN_LINES, MOST_LINES = 110, 350
NINE_IN_TEN, LONGEST = 18, 75  # lines of a function without its docstring


@pytest.fixture(scope="module")
def package(repository) -> Path:
    return repository / "medunsup"


def functions(package: Path) -> Iterator[tuple[int, str]]:
    """Lines of each function without its docstring, and where it stands."""
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1
                if ast.get_docstring(node) is not None:
                    lines -= node.body[0].end_lineno - node.body[0].lineno + 1
                yield lines, f"{file.relative_to(package)}:{node.name}"


def test_no_folder_of_the_verbs_holds_too_many_files(package):
    folders = [folder for top in FLAT for folder in (package / top, *(package / top).rglob("*/"))]
    crowded = {str(folder): n for folder in folders if (n := len(list(folder.glob("*.py")))) > MOST_FILES}
    assert not crowded


def test_files_are_short(package):
    lines = {
        str(file.relative_to(package)): file.read_text(encoding="utf-8").count("\n")
        for file in package.rglob("*.py")
    }
    assert median(lines.values()) <= MEDIAN_LINES
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}


def test_functions_are_short(package):
    found = sorted(functions(package))
    assert found[int(0.9 * len(found))][0] <= NINE_IN_TEN
    assert [one for one in found if one[0] > LONGEST] == []
