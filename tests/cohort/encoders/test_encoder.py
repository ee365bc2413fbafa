"""An encoder that is loaded gives the features it gave when it was trained, and refuses other arrays."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.pretraining import write_images
from helpers.small_brains import small_brains
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import medunsup
from medunsup.cohort.dataset.images import read_images
from medunsup.cohort.encoders.folder import MANIFEST
from medunsup.core.errors import ArrayError, InputError, MissingError
from medunsup.selfsupervised import Autoencoder, Scans

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    return write_images(tmp_path_factory.mktemp("data") / "images.npz")


@pytest.fixture(scope="module")
def folder(images, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "encoder"
    return medunsup.pretrain("autoencoder", images, out, parameters=TINY).path


@pytest.fixture
def copied(folder, tmp_path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copied"))


def test_features_are_those_of_the_trained_network(images, folder):
    values = read_images(images)["train"].values
    whole = np.ones(values[:, 0].shape, bool)
    fitted = Autoencoder(Autoencoder.Config(**TINY)).fit(Scans(values, whole))
    expected = fitted.features(values)
    found = medunsup.Encoder.load(folder).transform(values)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


def test_the_same_images_in_all_forms_give_the_same_features(images, folder):
    grey = np.load(images)["train_images"]
    encoder = medunsup.Encoder.load(folder)
    rows = encoder.transform(grey)
    assert rows.shape == (len(grey), encoder.n_features)
    unit = grey / np.float32(255)
    for form in (unit, unit[:, None], unit[:, None, ..., None], unit.astype(np.float64), grey[:, None]):
        assert np.array_equal(encoder.transform(form), rows)
    alone = np.concatenate([encoder.transform(grey[n : n + 1]) for n in range(len(grey))])
    assert np.allclose(alone, rows, rtol=1e-4, atol=1e-6)


def test_volumes_are_averaged_over_slices_and_masks_say_where(folder):
    encoder, scans = medunsup.Encoder.load(folder), small_brains(2)
    rows = encoder.transform(scans.values)
    slices = encoder.transform(np.moveaxis(scans.values[0], 3, 0))
    assert np.allclose(rows[0], slices.mean(axis=0), atol=1e-5)
    inside = encoder.transform(scans.values, scans.masks)
    assert inside.shape == rows.shape
    assert not np.allclose(inside, rows)


def test_it_is_a_step_of_a_pipeline(images, folder):
    grey = np.load(images)["train_images"]
    labels = np.arange(len(grey)) % 2
    pipeline = clone(make_pipeline(medunsup.Encoder(folder), LogisticRegression()))
    assert pipeline.fit(grey, labels).predict(grey).shape == labels.shape


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros((16, 16)), r"\(N, H, W\).*got the shape \(16, 16\)"),
        (np.zeros((0, 16, 16)), "got the shape"),
        (np.zeros((2, 3, 16, 16)), "takes 1 channels, got 3"),
        (np.zeros((2, 16, 16, 1)), r"Channels come second: np\.moveaxis\(X, -1, 1\)"),
        (np.full((2, 16, 16), np.nan), "no finite numbers"),
        (np.full((2, 16, 16), 255.0), "values from 255 to 255. Scale"),
        (np.zeros((2, 16, 16), complex), "real numbers"),
        (np.array([["a", "b"]]), "Expected arrays"),
    ],
)
def test_other_arrays_are_refused(folder, X, said):
    with pytest.raises(ArrayError, match=said):
        medunsup.Encoder.load(folder).transform(X)


def test_masks_of_another_shape_are_refused(folder):
    with pytest.raises(ArrayError, match="Give one mask each"):
        medunsup.Encoder.load(folder).transform(np.zeros((2, 16, 16)), np.ones((2, 8, 8), bool))


def test_folders_that_hold_no_whole_encoder_are_refused(copied, tmp_path):
    with pytest.raises(MissingError, match="no such folder"):
        medunsup.Encoder.load(tmp_path / "nothing")
    with pytest.raises(InputError, match=r"encoder\.json is missing"):
        medunsup.Encoder.load(tmp_path)
    weights = copied / "encoder.safetensors"
    kept = weights.read_bytes()
    weights.write_bytes(kept[:-4] + b"\x00\x00\x00\x01")
    with pytest.raises(InputError, match="its hash differs"):
        medunsup.Encoder.load(copied)
    weights.unlink()
    with pytest.raises(InputError, match="is missing"):
        medunsup.Encoder.load(copied)


@pytest.mark.parametrize(
    ("part", "change", "said"),
    [
        (None, {"Format": 9}, "was written in format 9"),
        (None, {"Format": None}, "cannot be read as an encoder's description"),
        ("Network", {"Name": "other"}, "weights do not fit the encoder other"),
        ("Network", {"Parameters": {"channels": 4}}, "weights do not fit the encoder cnn"),
        ("Network", {"Dims": 7}, "cannot be read as an encoder's description"),
        ("Preprocessing", {"Kind": "sounds"}, "cannot be read as an encoder's description"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copied, part, change, said):
    told = json.loads((copied / MANIFEST).read_text())
    (told if part is None else told[part]).update(change)
    (copied / MANIFEST).write_text(json.dumps(told))
    with pytest.raises(InputError, match=said):
        medunsup.Encoder.load(copied)
