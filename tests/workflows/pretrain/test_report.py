"""A pretraining shows itself: a page that costs no encoder, labels that change nothing, what it keeps."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.healthy_scans import SPACING_MM
from helpers.labelled_images import draw_images
from helpers.pretraining import METHODS, write_images

import medunsup
from medunsup.cohort.encoders.folder import read_encoder
from medunsup.metrics.label_free import rankme
from medunsup.selfsupervised import Autoencoder, Scans
from medunsup.workflows.pretrain import report
from medunsup.workflows.pretrain.summary import remarks

TINY = {"epochs": 2, "batch_size": 8, "encoder_parameters": {"channels": 4, "levels": 2}}
NEED_MORE = ("prednet", "y_aware")  # slices, and covariates


def run(data, out, name="autoencoder", **more):
    return medunsup.pretrain(name, data, out, parameters=TINY | more.pop("parameters", {}), **more)


def weights(folder: Path) -> dict[str, np.ndarray]:
    return read_encoder(folder).files.arrays("encoder.safetensors")


def is_same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return all(np.array_equal(first[key], second[key]) for key in first)


def curve(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "curve.tsv").open(), delimiter="\t"))


def labelled(path: Path, *, shuffled: bool = False, **changes) -> Path:
    """Images of two classes with labels of both parts; `shuffled` gives labels to others."""
    rng = np.random.default_rng(0)
    held: dict[str, np.ndarray] = {}
    for part, n in (("train", 24), ("val", 16)):
        labels = np.arange(n) % 2
        held[f"{part}_images"] = draw_images(labels, rng)
        held[f"{part}_labels"] = (np.random.default_rng(9).permutation(labels) if shuffled else labels)[
            :, None
        ]
    np.savez(path, **held | changes)
    return path


@pytest.fixture
def images(tmp_path) -> Path:
    return labelled(tmp_path / "images.npz")


class TestPage:
    def test_it_lies_in_the_folder_and_is_the_same_each_time(self, images, tmp_path):
        first, second = (run(images, tmp_path / name) for name in "ab")
        pages = [(made.path / "report.html").read_text() for made in (first, second)]
        assert pages[0] == pages[1]
        assert pages[0].count("data:image/jpeg") == 6 * 5
        assert "report.html" in first.manifest.sha256
        assert first.files.changed() == []

    def test_a_defect_in_drawing_costs_the_page_and_not_the_encoder(
        self, images, tmp_path, monkeypatch, caplog
    ):
        whole = run(images, tmp_path / "out")
        monkeypatch.setattr(report, "pretrain_page", lambda page: 1 / 0)
        made = run(images, tmp_path / "out", force=True)
        assert "report.html could not be made (ZeroDivisionError" in caplog.text
        assert not (made.path / "report.html").exists()
        assert made.files.changed() == []
        assert made.manifest.sha256["encoder.safetensors"] == whole.manifest.sha256["encoder.safetensors"]

    def test_few_validation_images_are_left_aside_for_those_of_training(self, tmp_path):
        made = run(write_images(tmp_path / "few.npz", n_validation=3), tmp_path / "out")
        text = (made.path / "report.html").read_text()
        assert "the same 12 items of the training split are measured (that of validation has too few)" in text

    def test_colours_and_the_methods_of_other_kinds_are_shown_too(self, tmp_path):
        colours = write_images(tmp_path / "colours.npz", n=16, channels=3)
        for name in ("rotation", "simclr"):
            made = run(colours, tmp_path / name, name)
            assert made.manifest.network.channels == 3
            assert "guessing" in (made.path / "report.html").read_text()

    @pytest.mark.slow
    @pytest.mark.parametrize(("name", "dims"), [one for one in METHODS if one[0] not in NEED_MORE])
    def test_every_method_leaves_one_with_its_loss_and_all_that_was_watched(self, tmp_path, name, dims):
        rng, sides = np.random.default_rng(0), (16,) * dims
        data = {key: rng.integers(0, 256, (12, *sides), np.uint8) for key in ("train_images", "val_images")}
        np.savez(tmp_path / "data.npz", **data)
        made = run(tmp_path / "data.npz", tmp_path / "out", name, parameters={"dims": dims, "batch_size": 4})
        text = (made.path / "report.html").read_text()
        charts = set(re.findall("<h3>(.*?)</h3>", text))
        assert {"Spread (std · √d)", "Effective rank", "Uniformity", "Score without labels"} <= charts
        assert any(one.startswith("Loss (") for one in charts)
        watched = {name for row in curve(made.path) for name, value in row.items() if value != "n/a"}
        assert ("Alignment" in charts) == ("alignment" in watched)
        assert ("Teacher" in charts) == ("teacher_entropy" in watched)
        assert ("Named right" in charts) == ("accuracy" in watched)

    @pytest.mark.usefixtures("quick_registration")
    @pytest.mark.parametrize("dims", [2, pytest.param(3, marks=pytest.mark.slow)])
    def test_scans_are_shown_as_slices_by_their_names(self, few, tmp_path, dims):
        parameters = {"dims": dims, "batch_size": 4}
        made = run(few, tmp_path / "out", spacing_mm=SPACING_MM, parameters=parameters, validation=0.0)
        text = (made.path / "report.html").read_text()
        assert "Radiological view" in text
        assert "sub-01_T1w" in text
        assert "nii.gz" not in text
        assert ("z\N{NO-BREAK SPACE}=" in text) == (dims == 2)


class TestLabels:
    def test_they_change_no_weight_and_no_choice(self, images, tmp_path):
        other = labelled(tmp_path / "shuffled.npz", shuffled=True)
        without = write_without_labels(images, tmp_path / "without.npz")
        parameters = {"keep": "label_free"}
        true, false, none = (
            run(data, tmp_path / data.stem, "simclr", parameters=parameters)
            for data in (images, other, without)
        )
        assert is_same(true.path, false.path)
        assert is_same(true.path, none.path)
        assert true.manifest.kept_epoch == false.manifest.kept_epoch == none.manifest.kept_epoch
        told = [[row.pop("knn_accuracy", None) for row in curve(one.path)] for one in (true, false, none)]
        assert told[0] != told[1]
        assert set(told[2]) == {None}
        assert [row["rankme"] for row in curve(true.path)] == [row["rankme"] for row in curve(none.path)]

    def test_accuracy_of_neighbours_is_told_with_k_and_temperature(self, images, tmp_path):
        made = run(images, tmp_path / "out")
        accuracy = made.manifest.kept["knn_accuracy"]
        said = (
            f"k-NN accuracy {accuracy:.3f} (k = 4, temperature 0.07); labels were looked at for this alone."
        )
        assert said in remarks(made)
        assert "Of 16 labelled items, k = 4, temperature 0.07." in (made.path / "report.html").read_text()
        assert [row["knn_k"] for row in curve(made.path)] == ["4"] * 3

    def test_stripes_of_one_direction_are_neighbours(self, tmp_path):
        stripes = np.tile(np.uint8([0, 0, 200, 200]), (16, 4))
        values = np.stack([stripes, stripes.T] * 12)
        values += np.random.default_rng(0).integers(0, 20, values.shape, np.uint8)
        data = labelled(tmp_path / "stripes.npz", train_images=values, val_images=values[:16] + np.uint8(1))
        assert run(data, tmp_path / "out").manifest.kept["knn_accuracy"] == 1

    @pytest.mark.parametrize(
        ("labels", "said"),
        [
            (np.zeros((16, 3), int), "val_labels is not one label an image, and is not shown."),
            (np.zeros(15, int), "val_labels is not one label an image, and is not shown."),
            (np.arange(16) + 100, None),
            (np.full(16, -1), None),
        ],
    )
    def test_labels_that_are_no_classes_of_these_images_are_passed_over(self, tmp_path, labels, said):
        train_labels = np.arange(24) % (24 if said is None and labels[0] >= 0 else 2)
        data = labelled(tmp_path / "odd.npz", train_labels=train_labels, val_labels=labels)
        made = run(data, tmp_path / "out")
        text = (made.path / "report.html").read_text()
        assert "knn_accuracy" not in made.manifest.kept
        assert said is None or said in text

    def test_labels_in_python_are_counted_where_they_are_known(self):
        images = draw_images(np.arange(32) % 2, np.random.default_rng(0)) / np.float32(255)
        labels = np.where(np.arange(32) < 12, np.arange(32) % 2, -1)
        scans = Scans(
            images[:, None, ..., None].astype(np.float32), np.ones((32, 16, 16, 1), bool), labels=labels
        )
        method = Autoencoder(Autoencoder.Config.parse(TINY)).fit(scans)
        dataset = method.dataset(scans)
        with torch.no_grad():
            figures = method.learner_.measure(dataset.batch(np.arange(32)), torch.Generator())
        assert figures["knn_k"] == 3


class TestKept:
    def test_the_epoch_with_the_highest_rank_after_the_warm_up_is_kept(self, images, tmp_path):
        parameters = {"keep": "label_free", "epochs": 6, "learning_rate": 0.01}
        made = run(images, tmp_path / "out", "simclr", parameters=parameters)
        about, rows = made.manifest, curve(made.path)
        late = {int(row["epoch"]): float(row["rankme"]) for row in rows[2:]}
        assert about.kept_epoch == max(late, key=late.get)
        assert about.kept["rankme"] == pytest.approx(late[about.kept_epoch], rel=1e-5)
        with np.load(images) as held:
            features = medunsup.Encoder.load(made.path).transform(held["val_images"])
        assert rankme(features) == pytest.approx(about.kept["rankme"], rel=1e-4)
        card = json.loads((made.path / "encoder.json").read_text())
        assert card["KeptEpoch"] == about.kept_epoch
        assert card["Last"]["rankme"] == pytest.approx(late[6], rel=1e-5)

    def test_the_last_is_kept_by_default(self, images, tmp_path):
        made = run(images, tmp_path / "out")
        assert made.manifest.kept_epoch == 2
        assert made.manifest.kept == made.manifest.last


def test_what_is_learned_from_is_laid_out_once(monkeypatch):
    laid = []
    dataset = Autoencoder.dataset
    monkeypatch.setattr(
        Autoencoder, "dataset", lambda *given, **more: laid.append(1) or dataset(*given, **more)
    )
    scans = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    Autoencoder(Autoencoder.Config.parse(TINY)).fit(scans)
    assert len(laid) == 1


def test_images_keep_their_place_in_the_file_where_others_are_left_out(tmp_path):
    made = run(write_images(tmp_path / "images.npz", repeats=2), tmp_path / "out")
    assert [one.scan for one in made.seen if one.split == "validation"] == ["val_images[2]", "val_images[3]"]


def write_without_labels(images: Path, path: Path) -> Path:
    with np.load(images) as held:
        np.savez(path, **{key: held[key] for key in held.files if key.endswith("images")})
    return path
