"""Every area is one entry of one table, and a method of another package needs no change of ours."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medunsup.core import registry
from medunsup.core.errors import UsageError
from medunsup.core.registry import AREAS, PACKAGE, method, methods

LAB = '''"""A laboratory's own method."""

import numpy as np

from medunsup import register
from medunsup.tissue import Fitted, TextbookConfig, TextbookMethod


@register("{name}", family="thresholds", dims=(2, 3), paper="A lab (2026), Ours.", limit="For a test.")
class Ours(TextbookMethod):
    """Nearest of three quantiles."""

    Config = TextbookConfig

    def _fit(self, sample, n_classes):
        from types import SimpleNamespace

        centers = np.stack([sample.min(axis=0), np.median(sample, axis=0), sample.max(axis=0)])[:n_classes]
        model = SimpleNamespace(centers=centers, n_iter_=1)
        return Fitted(model, np.full(n_classes, 1 / n_classes), centers, np.ones_like(centers), (0.0,), True)

    def _probabilities(self, model, values):
        distance = ((values[:, None] - model.centers) ** 2).sum(axis=2)
        return (distance.argmin(axis=1)[:, None] == np.arange(len(model.centers))).astype(float)
'''
FIT = """
import numpy as np
from medunsup.core.registry import method
from medunsup.tissue import TissueInput
from medunsup.core.labels import TISSUES
values = np.repeat(np.float32([0.1, 0.5, 0.9]), 900).reshape(1, 30, 30, 3)
data = TissueInput(values, np.ones((30, 30, 3), bool), (1.0, 1.0, 1.0), ("T1w",), TISSUES)
fitted = method("tissue", "ours")().fit(data)
print(sorted(np.unique(fitted.labels_).tolist()))
"""


def install(root: Path, name: str = "ours", point: str = "", source: str = LAB, init: str = "") -> Path:
    """A package as pip leaves it: modules and metadata. Its own __init__ breaks whatever imports it early."""
    package, metadata = root / "our_lab", root / "our_lab-1.0.dist-info"
    package.mkdir(parents=True)
    metadata.mkdir()
    (package / "__init__.py").write_text(init, encoding="utf-8")
    (package / "mine.py").write_text(source.replace("{name}", name), encoding="utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: our-lab\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[medunsup.methods]\n{point or f'tissue.{name}'} = our_lab.mine\n"
    )
    return root


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(root), str(PACKAGE.parent)])
    return subprocess.run(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def listed(root: Path) -> subprocess.CompletedProcess[str]:
    return run(root, "-m", "medunsup", "methods", "tissue", "--json")


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_its_folder_its_contract_its_page_and_methods(area, repository):
    assert (PACKAGE / AREAS[area].folder).is_dir()
    assert (repository / AREAS[area].contract).is_file()
    assert (repository / AREAS[area].page).is_file()
    assert methods(area)


@pytest.mark.parametrize("card", methods(), ids=lambda card: f"{card.area}-{card.name}")
def test_what_a_card_says_is_what_is_imported(card):
    found = method(card.area, card.name)
    assert (found.__name__, found.__module__) == (card.class_name, card.module)
    assert found.method_name == card.name == card.module.rsplit(".", 1)[1]


def test_a_method_of_another_package_is_listed_without_being_imported(tmp_path):
    root = install(tmp_path, init="raise RuntimeError('imported')")
    done = listed(root)
    assert done.returncode == 0, done.stderr
    card = next(card for card in json.loads(done.stdout)["methods"] if card["name"] == "ours")
    assert (card["distribution"], card["module"]) == ("our-lab", "our_lab.mine")
    assert "from our-lab: Nearest of three quantiles." in run(root, "-m", "medunsup", "methods").stdout


def test_a_method_of_another_package_is_fitted_and_offered_for_a_slip(tmp_path):
    root = install(tmp_path)
    done = run(root, "-c", FIT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["[1,", "2,", "3]"]
    slip = run(root, "-c", "from medunsup.core.registry import method; method('tissue', 'ourss')")
    assert "Did you mean 'ours'?" in slip.stderr


@pytest.mark.parametrize("call", ["register(name=", "medunsup.register(", "medunsup.register(name="])
def test_every_way_to_call_register_is_read(tmp_path, call):
    file = tmp_path / "mine.py"
    source = LAB.replace("from medunsup import register", "import medunsup\nfrom medunsup import register")
    file.write_text(source.replace("@register(", f"@{call}").replace("{name}", "ours"), encoding="utf-8")
    (card,) = registry._cards(file, "tissue", "lab.mine")
    assert (card.name, card.dims, card.class_name) == ("ours", (2, 3), "Ours")


@pytest.mark.parametrize(
    "call",
    ["register()", "register(NAME)", "register(*NAMES)", "register(**CARD)", "router.register('mine')"]
    + [f"register('x', family='f', dims={dims}, paper='p', limit='l')" for dims in ("2", "[2, 3]")]
    + ["register('x', name='x', family='f', dims=(2,), paper='p', limit='l')"]
    + ["register('x', family='f', dims=(2,), paper=None, limit='l')"],
)
def test_a_card_that_cannot_be_read_is_passed_over_and_hides_no_other(tmp_path, call):
    file = tmp_path / "mine.py"
    broken = f"\n\n@{call}\nclass Broken:\n    pass\n"
    file.write_text(LAB.replace("{name}", "ours") + broken, encoding="utf-8")
    assert [card.name for card in registry._cards(file, "tissue", "lab.mine")] == ["ours"]


def test_every_file_of_a_method_of_ours_has_a_card_that_can_be_read():
    for area, home in AREAS.items():
        files = {file.stem for file in (PACKAGE / home.folder).glob("[!_]*.py")}
        assert files == {card.name for card in methods(area) if card.distribution == PACKAGE.name}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "gmm"}, "the name 'gmm' is taken"),
        ({"point": "tissue.another"}, "holds no @register('another'"),
        ({"point": "organ.ours"}, "there is no area 'organ'"),
        ({"source": "def broken(:"}, "holds no @register"),
        ({"source": LAB.replace('"{name}"', "NAME")}, "holds no @register('ours'"),
    ],
    ids=["a name of ours", "another name", "another area", "not Python", "a name that is no literal"],
)
def test_a_package_that_offers_nothing_usable_is_named_and_hides_nothing(tmp_path, changes, why):
    code = (
        "import logging; logging.basicConfig(); from medunsup import methods; print(len(methods('tissue')))"
    )
    done = run(install(tmp_path, **changes), "-c", code)
    assert done.returncode == 0, done.stderr
    assert f"our-lab: {why}" in done.stderr or (why in done.stderr and "our-lab" in done.stderr)
    assert int(done.stdout) == len(methods("tissue"))


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path, monkeypatch):
    file, reads = tmp_path / "mine.py", []
    file.write_text(LAB.replace("{name}", "mine"), encoding="utf-8")
    plain = registry.ast.parse
    monkeypatch.setattr(registry.ast, "parse", lambda text: reads.append(1) or plain(text))
    assert [registry._cards(file, "tissue", "lab.mine")[0].name for _ in range(3)] == ["mine"] * 3
    assert len(reads) == 1
    file.write_text(LAB.replace("{name}", "renamed"), encoding="utf-8")
    os.utime(file, ns=(1, 1))
    assert registry._cards(file, "tissue", "lab.mine")[0].name == "renamed"


def test_a_score_named_as_a_model_is_told_to_be_a_score():
    with pytest.raises(UsageError, match=r"knn is a score, not a model\. Known: "):
        method("anomaly", "knn")
