"""`medunsup.show` opens the page that is there, writes one that is not, and says so where no browser is."""

import warnings
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from helpers.anomaly_results import found_on_the_left
from helpers.feature_tables import groups

import medunsup
from medunsup.report.base.viewer import niivue_code


@pytest.fixture(autouse=True)
def opened(monkeypatch, tmp_path):
    """Addresses that would be opened; pages are written below the test's folder."""
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(addresses.append(address)) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return addresses


def test_a_segmentation_has_its_own_page(make_result, opened):
    page = medunsup.show(make_result())
    assert opened == [page.as_uri()]
    assert "Pass" in page.read_text("utf-8") or "verdict" in page.read_text("utf-8")


def test_anomalies_have_their_own_page(small_brain, opened):
    page = medunsup.show(found_on_the_left(small_brain))
    assert "Among healthy scans" in page.read_text("utf-8")
    assert len(opened) == 1


@pytest.mark.skipif(niivue_code() is None, reason="the installed nilearn carries no niivue")
def test_a_volume_has_a_viewer():
    page = medunsup.show(
        medunsup.Volume(np.random.default_rng(0).random((9, 9, 9)), np.eye(4)), browser=False
    )
    text = page.read_text("utf-8")
    assert 'id="niivue-code"' in text
    assert 'id="viewer-canvas"' in text


def test_a_page_that_is_there_is_taken(tmp_path, opened):
    table = groups(60)
    found = medunsup.cluster(table, tmp_path / "clusters", method="kmeans", k=2, seeds=2, umap=False)
    assert medunsup.show(found) == tmp_path / "clusters" / "report.html"
    assert medunsup.show(tmp_path / "clusters") == tmp_path / "clusters" / "report.html"
    assert len(opened) == 2


def test_a_result_without_a_folder_gets_its_card_as_a_page(opened):
    page = medunsup.show(groups(20))
    assert "20 rows" in page.read_text("utf-8")


def test_without_a_browser_the_page_is_named(monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    with pytest.warns(UserWarning, match="No browser could be started. Open .*report.html in one yourself"):
        page = medunsup.show(groups(20))
    assert page.is_file()


def test_browser_false_opens_nothing_and_warns_of_nothing(opened):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        medunsup.show(groups(20), browser=False)
    assert opened == []


def test_what_has_no_page_is_refused(tmp_path):
    with pytest.raises(medunsup.errors.UsageError, match="A dict has no page"):
        medunsup.show({})
    with pytest.raises(medunsup.errors.MissingError, match="no such page"):
        medunsup.show(tmp_path)
    assert not list(Path(tmp_path).glob("medunsup-*"))
