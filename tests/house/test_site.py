"""The site's own code: pages follow from commands, registry and names; broken links are found."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest
from helpers.documents import ROOT

import medunsup


@pytest.fixture(scope="module")
def extension():
    """Import a module of docs/extensions by name."""
    sys.path.insert(0, str(ROOT / "docs" / "extensions"))
    yield import_module
    sys.path.pop(0)


def page(body: str) -> str:
    return f"<!doctype html><html><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="other.html#there">x</a>', None),
        ('<a href="https://elsewhere.org">x</a>', None),
        ('<img src="data:image/png;base64,AA">', None),
        ('<a href="gone.html">x</a>', "gone.html is not there"),
        ('<a href="other.html#gone">x</a>', "#gone names no place"),
        ('<a href="#gone">x</a>', "#gone names no place"),
        ('<script src="https://cdn.org/x.js"></script>', "loads https://cdn.org/x.js"),
        ('<link rel="stylesheet" href="//cdn.org/x.css">', "loads //cdn.org/x.css"),
    ],
)
def test_broken_links_and_what_is_loaded_from_elsewhere_are_found(extension, tmp_path, body, fault):
    check = extension("check_site")
    (tmp_path / "index.html").write_text(page(body), encoding="utf-8")
    (tmp_path / "other.html").write_text(page('<h1 id="there">x</h1>'), encoding="utf-8")
    check.read.cache_clear()
    found = check.faults(tmp_path)
    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]


def test_every_command_has_a_page_with_all_its_options(extension):
    pages = extension("site_pages").command_pages()
    assert {
        "cli/medunsup-segment.rst",
        "cli/medunsup-models-verify.rst",
        "cli/medunsup-cluster-patches.rst",
    } <= set(pages)
    for option in ("--mask", "--learn-prior", "--jobs", "--dry-run"):
        assert option in pages["cli/medunsup-segment.rst"]
    for name in re.findall(r"`medunsup [\w ]+ <([\w-]+)>`", pages["cli/index.rst"]):
        assert f"cli/{name}.rst" in pages


def test_every_public_name_is_told_once(extension):
    pages = extension("site_pages").name_pages()
    told = [name for text in pages.values() for name in re.findall(r"^   (\w+)$", text, re.MULTILINE)]
    assert len([name for name in told if name == "Detector"]) == 1
    assert set(medunsup.__all__) - {"errors", "__version__"} <= set(told)


@pytest.mark.slow
def test_every_method_has_a_card_with_its_paper_and_limit(extension):
    site = extension("site_pages")
    pages = site.method_pages()
    for card in medunsup.methods():
        if card.distribution == "medunsup":
            text = pages[f"methods/{card.area}-{card.name}.rst"]
            assert site._plain(card.paper) in text
            assert site._plain(card.limit) in text


def test_markup_in_words_stays_words(extension):
    assert extension("site_pages")._plain("a*b_c|`--set x`") == r"a\*b\_c\|\ ``--set x``\ "


def test_pages_that_stay_as_they_are_keep_their_time(extension, tmp_path, monkeypatch):
    site = extension("site_pages")
    monkeypatch.setattr(site, "method_pages", dict)
    site.write_pages(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*.rst")}
    site.write_pages(tmp_path)
    assert before == {path: path.stat().st_mtime_ns for path in Path(tmp_path).rglob("*.rst")}
    assert before
