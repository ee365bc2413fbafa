"""A fine-tuned classifier on the images of a file: table, page, flags, what is refused."""

import csv
import json

import numpy as np
import pytest
from helpers.classified import classified_images
from helpers.labelled_images import SIDE, draw_images
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.core.errors import InputError, MissingError, UsageError
from medunsup.training import Scans
from medunsup.workflows.finetune import card


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("classified")


@pytest.fixture(scope="module")
def network(folder):
    return classified_images(folder)


def rows_of(path):
    return list(csv.DictReader(path.open(), delimiter="\t"))


def test_the_probabilities_are_those_that_fine_tuning_gave_its_test_images(network, folder):
    found = medunsup.predict(network, folder / "labelled.npz")
    told = [row for row in rows_of(network.path / "probabilities.tsv") if row["network"] == "finetuned"]
    assert list(found.names) == [row["scan"] for row in told]
    expected = [[float(row[f"p_{name}"]) for name in found.classes] for row in told]
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-6)
    assert sum(found.counts.values()) == len(told)
    assert f"{len(told)} that the network was tested on" in found.remarks[0]


def test_table_and_page_hold_all_images_and_the_least_sure_ones(network, tmp_path):
    images = draw_images(np.arange(40) % 2, np.random.default_rng(7))
    np.savez(tmp_path / "new.npz", images=images)
    words = ["predict", str(network.path), str(tmp_path / "new.npz"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.stderr
    assert " images; " in done.stdout
    rows = rows_of(tmp_path / "out" / "new_desc-predicted_images.tsv")
    assert [row["image"] for row in rows] == [f"images[{n}]" for n in range(40)]
    for row in rows:
        shares = {name: float(row[f"p_{name}"]) for name in ("0", "1")}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
        assert row["prediction"] == max(shares, key=shares.get)
    page = (tmp_path / "out" / "new_desc-predicted_report.html").read_text()
    assert page.index("o expert has checked the") < page.index("AUC") < page.index("<table")
    n_flagged = sum(row["flags"] != "none" for row in rows)
    assert page.count("<figure>") == 24 + n_flagged
    sure = sorted(rows, key=lambda row: max(float(row["p_0"]), float(row["p_1"])))
    assert page.index(f"{sure[0]['image']}<br>") < page.index(f"{sure[9]['image']}<br>")
    assert f"{sure[-1]['image']}<br>" not in page
    assert "http" not in page.replace("http-equiv", "")
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert told["scans"][0]["status"] == "skipped"
    assert sum(told["scans"][0]["counts"].values()) == 40


def test_the_folder_keeps_the_mean_of_the_training_images(network, folder):
    images = np.load(folder / "labelled.npz")["train_images"] / 255
    np.testing.assert_allclose(network.data_card.mean[..., 0], images.mean(axis=0), atol=1e-6)


def test_of_very_many_images_some_from_all_over_tell_what_they_look_like(monkeypatch):
    monkeypatch.setattr(card, "MOST", 50)
    values = np.broadcast_to(np.linspace(0, 1, 100)[:, None, None, None, None], (100, 1, 4, 4, 1))
    scans = Scans(values.astype(np.float32), np.ones(values[:, 0].shape, bool))
    found = card.card_of(scans, {"spacing_mm": 0.0, "coarsest_mm": None}, lambda stage: None)
    np.testing.assert_allclose(found["mean"], 0.5, atol=0.01)


def test_images_of_another_kind_are_flagged_and_those_of_this_kind_are_not(network, tmp_path):
    rng = np.random.default_rng(8)
    images = draw_images(np.arange(20) % 2, rng)
    images[:3] = 255 - images[:3]
    np.savez(tmp_path / "new.npz", test_images=images)
    found = medunsup.predict(network, tmp_path / "new.npz")
    assert all("intensities" in [flag.name for flag in flags] for flags in found.flags[:3])
    assert sum(map(bool, found.flags[3:])) <= 2
    assert "than in training images" in found.flags[0][-1].sentence


def test_what_is_no_such_image_is_refused_in_words(network, finetuned, tmp_path):
    def file(**arrays):
        np.savez(tmp_path / "odd.npz", **arrays)
        return tmp_path / "odd.npz"

    good = draw_images(np.zeros(3, int), np.random.default_rng(0))
    for arrays, said in [
        ({"train_images": good}, "holds no test_images or images, only train_images"),
        ({"images": np.zeros((3, 20, 20), np.uint8)}, f"images of {SIDE} x {SIDE}, these are 20 x 20"),
        ({"images": np.zeros((3, SIDE, SIDE, 3), np.uint8)}, "of 1 channels, these have 3"),
    ]:
        with pytest.raises(InputError, match=said):
            medunsup.predict(network, file(**arrays))
    path = file(images=good)
    with pytest.raises(UsageError, match="holds images; seg was fine-tuned to segment scans"):
        medunsup.predict(finetuned, path)
    with pytest.raises(UsageError, match="was fine-tuned on images"):
        medunsup.predict(network, tmp_path / "scan.nii.gz")
    with pytest.raises(UsageError, match="goes with scans, not with images"):
        medunsup.predict(network, path, mask=tmp_path / "mask.nii.gz")
    with pytest.raises(MissingError):
        medunsup.predict(network, tmp_path / "none.npz")
