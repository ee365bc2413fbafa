"""What stands in several files says the same: version, Python versions, extras, entry points."""

import re
import tomllib
from fnmatch import fnmatch

import pytest
import yaml
from helpers.documents import ROOT, documents

from medunsup import __version__

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_version_is_the_same_everywhere():
    cited = yaml.safe_load(text_of("CITATION.cff"))
    assert str(cited["version"]) == __version__
    assert f"## {__version__} - {cited['date-released']}" in text_of("CHANGELOG.md")


def test_every_python_version_promised_is_tested():
    promised = {name.rsplit(" ", 1)[1] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)}
    jobs = yaml.safe_load(text_of(".github/workflows/tests.yml"))["jobs"]
    assert set(jobs["tests"]["strategy"]["matrix"]["python"]) == promised
    assert {"lint", "tests", "smoke", "lowest", "docs"} <= set(jobs)


@pytest.mark.parametrize(
    "name", [".github/workflows/tests.yml", "containers/Dockerfile", "containers/medunsup.def", ".ci/run"]
)
def test_extras_that_are_installed_exist(name):
    wanted = re.findall(r"'\.\[([\w,]+)\]'", text_of(name))
    assert wanted
    assert {extra for some in wanted for extra in some.split(",")} <= set(PROJECT["optional-dependencies"])


def test_paths_of_the_workflow_are_there():
    for path in re.findall(r"\b(?:tests|docs)/[\w/.]+", text_of(".github/workflows/tests.yml")):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_forms_are_whole(form):
    asked = yaml.safe_load(form.read_text(encoding="utf-8"))
    for field in asked.get("body", []):
        assert field["type"] in {"markdown", "textarea", "checkboxes", "input", "dropdown"}
        assert field["attributes"].get("label") or field["attributes"].get("value")


def test_containers_are_the_bids_app():
    docker, apptainer = text_of("containers/Dockerfile"), text_of("containers/medunsup.def")
    assert 'ENTRYPOINT ["medunsup", "bids"]' in docker
    assert 'exec medunsup bids "$@"' in apptainer
    copied = {word for line in re.findall(r"^COPY (.*) \S+$", docker, re.MULTILINE) for word in line.split()}
    assert copied == set(re.findall(r"^    (\S+) /opt/medunsup/\1$", apptainer, re.MULTILINE))
    assert all((ROOT / name).exists() for name in copied)
    assert {f"!{name}" for name in copied} <= set(text_of(".dockerignore").splitlines())


def test_every_example_is_in_the_gallerys_order_and_says_what_it_shows():
    order = re.findall(r'"(plot_\w+\.py)"', text_of("docs/extensions/site_gallery.py"))
    examples = sorted((ROOT / "examples").glob("plot_*.py"))
    assert sorted(order) == [path.name for path in examples]
    for path in examples:
        assert re.match(r'"""\n.+\n=+\n\n.+', path.read_text(encoding="utf-8")), path.name


def test_every_page_is_in_a_table_of_contents():
    trees = "\n".join(page.read_text(encoding="utf-8") for page in documents())
    listed = {
        name for tree in re.findall(r"```\{toctree\}\n(.*?)```", trees, re.DOTALL) for name in tree.split()
    }
    docs = ROOT / "docs"
    pages = {page.relative_to(docs) for page in documents() if docs in page.parents}
    known = [page for page in pages if any(fnmatch(page.stem, name) for name in listed)]
    assert pages - set(known) <= {page for page in pages if page.name == "index.md"}
