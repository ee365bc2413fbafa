"""docs/api.md lists what is public, and what users are shown imports nothing else."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from helpers.documents import documents

import medunsup

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## `(medunsup[.\w]*)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
PACKAGES = [name for name, _ in SECTIONS]
OURS = [card for card in medunsup.methods() if card.distribution == "medunsup"]
METHODS = {
    "medunsup.clustering": {card.class_name for card in OURS if card.area == "clustering"},
    "medunsup.anomaly": {card.class_name for card in OURS if card.area in ("anomaly", "score")},
    "medunsup.features": {card.class_name for card in OURS if card.area == "feature"},
    "medunsup.nn": {card.class_name for card in OURS if card.area == "encoder"},
    "medunsup.reduction": {card.class_name for card in OURS if card.area == "reduction"},
    "medunsup.selfsupervised": {card.class_name for card in OURS if card.area == "selfsupervised"},
    "medunsup.semisupervised": {card.class_name for card in OURS if card.area == "semisupervised"},
    "medunsup.tissue": {card.class_name for card in OURS if card.area == "tissue"},
}
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown() -> dict[str, str]:
    """Every piece of Python that users are shown, by where it stands."""
    scripts = [*sorted((ROOT / "pipelines").glob("*.py")), *sorted((ROOT / "examples").glob("*.py"))]
    code = {f"{path.parent.name}/{path.name}": path.read_text(encoding="utf-8") for path in scripts}
    for document in documents():
        for number, (language, block) in enumerate(BLOCK.findall(document.read_text(encoding="utf-8"))):
            if language == "python" or re.search(r"^(from|import) medunsup", block, re.MULTILINE):
                code[f"{document.relative_to(ROOT)} {number + 1}"] = block
    return code


def private_names(code: str) -> list[str]:
    """What a piece of code takes from medunsup that is not public."""
    used: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "medunsup":
            used += [(str(node.module), alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            used += [(alias.name, "") for alias in node.names if alias.name.split(".")[0] == "medunsup"]
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in PACKAGES:
            used.append((ast.unparse(node.value), node.attr))
    return [f"{package} {name}".strip() for package, name in used if not is_public(package, name)]


def is_public(package: str, name: str) -> bool:
    if package not in PACKAGES:
        return False
    return not name or f"{package}.{name}" in PACKAGES or name in import_module(package).__all__


@pytest.mark.parametrize(("package", "section"), SECTIONS, ids=PACKAGES)
def test_page_lists_every_public_name_once(package, section):
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    public = {name for name in import_module(package).__all__ if not name.startswith("_")}
    assert len(listed) == len(set(listed))
    assert set(listed) == public - METHODS.get(package, set())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_no_module_has_its_name(package):
    module = import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in set(module.__all__) - {"errors"}:
        assert getattr(module, name).__class__.__name__ != "module", f"{package}.{name}"
        assert not list(Path(module.__file__).parent.glob(f"{name}/__init__.py"))
        assert not (Path(module.__file__).parent / f"{name}.py").exists()


@pytest.mark.parametrize("package", sorted(METHODS))
def test_class_of_every_method_is_public_in_its_area(package):
    assert METHODS[package]
    for name in METHODS[package]:
        assert getattr(import_module(package), name).__name__ == name


def test_unknown_names_are_refused_as_python_does():
    import medunsup.anomaly

    with pytest.raises(AttributeError, match=r"module 'medunsup\.anomaly' has no attribute 'VEA'"):
        _ = medunsup.anomaly.VEA
    with pytest.raises(ImportError, match="cannot import name 'segmnt'"):
        exec("from medunsup import segmnt")


def test_a_star_takes_every_public_name():
    taken: dict[str, object] = {}
    exec("from medunsup.tissue import *", taken)
    assert METHODS["medunsup.tissue"] | {"TissueResult"} <= set(taken)


def test_a_class_of_another_package_takes_no_name_of_ours(monkeypatch):
    from dataclasses import replace

    from medunsup.core import lazy, registry

    ours = next(card for card in OURS if card.class_name == "VAE")
    theirs = replace(ours, name="lab_vae", module="our_lab.vae", distribution="our-lab")
    monkeypatch.setattr(registry, "_foreign", lambda area: (theirs,) if area == "anomaly" else ())
    lazy._classes.cache_clear()
    assert import_module("medunsup.anomaly").VAE.method_name == "vae"
    lazy._classes.cache_clear()


@pytest.mark.parametrize("where", shown())
def test_what_users_are_shown_is_public(where):
    assert not private_names(shown()[where])


@pytest.mark.parametrize(
    "code",
    [
        "from medunsup.workflows.segment.scan import segment",
        "import medunsup.core.record",
        "from medunsup import _HOMES",
        "from medunsup.anomaly import guards",
        "import medunsup\nmedunsup.workflows.segment.scan.segment('scan.nii')",
    ],
)
def test_private_rooms_are_noticed(code):
    assert private_names(code)


def test_importing_the_packages_loads_no_more_than_they_need():
    light = ", ".join(name for name in PACKAGES if name != "medunsup.transforms")
    probe = f"import sys, {light}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert not {"numpy", "pydantic", "torch", "scipy"} & set(done.stdout.split())
