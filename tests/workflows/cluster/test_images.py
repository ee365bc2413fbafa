"""`cluster` of images: by a method that takes them, or by the features of an encoder."""

import numpy as np
import pytest
from helpers.pretraining import write_images

import medunsup
from medunsup.clustering import KMeans
from medunsup.core.errors import UsageError

QUICK = {"method": "kmeans", "seeds": 2, "umap": False}
TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}


def test_images_are_clustered_by_the_features_of_an_encoder(tmp_path):
    images = write_images(tmp_path / "images.npz")
    medunsup.pretrain("autoencoder", images, tmp_path / "runs", parameters=TINY)
    found = medunsup.cluster(images, tmp_path / "out", encoder=tmp_path / "runs", k=2, **QUICK)
    with np.load(images) as kept:
        n, new = len(kept["train_images"]), kept["train_images"][:5]
    assert found.names[0] == "encoder/001"
    assert len(found.labels) == n
    text = (tmp_path / "out" / "report.html").read_text()
    shown = {row for one in found.clusters for row in (*one.exemplars, *one.outliers)}
    assert text.count('alt="Image ') == sum(len(one.exemplars) + len(one.outliers) for one in found.clusters)
    assert shown
    assert text.count('alt="Mean of') == 2
    assert "In units of the images" in text
    np.savez(tmp_path / "new.npz", images=new)
    again = medunsup.cluster(tmp_path / "new.npz", model=tmp_path / "out")
    np.testing.assert_array_equal(again.labels, found.labels[:5])


def test_images_need_a_method_that_takes_them_or_an_encoder(tmp_path):
    np.savez(tmp_path / "images.npz", train_images=np.zeros((20, 8, 8), np.uint8))
    with pytest.raises(UsageError, match=r"kmeans takes features, and these are images.*encoder"):
        medunsup.cluster(tmp_path / "images.npz", **QUICK)


class OfImages(KMeans):
    """K-means on voxels, as a method that takes images."""

    Config = KMeans.Config
    takes = ("images",)

    def fit(self, X, y=None):
        return super().fit(_flat(X))

    def predict(self, X):
        return super().predict(_flat(X))

    def predict_proba(self, X):
        return super().predict_proba(_flat(X))

    def typicality(self, X=None):
        return super().typicality(None if X is None else _flat(X))


def _flat(X) -> np.ndarray:
    return np.asarray(X).reshape(len(X), -1)


def test_a_deep_method_takes_images_and_stands_beside_two_baselines(tmp_path, monkeypatch):
    from medunsup.workflows.cluster import fitted, method

    def made(name, parameters, data=None):
        return (
            method.Maker(name, "deep", OfImages, parameters) if data is not None else method.maker(name, {})
        )

    monkeypatch.setattr(fitted, "maker", made)
    rng = np.random.default_rng(0)
    group = np.arange(60) % 2
    images = rng.uniform(0, 0.3, size=(60, 6, 6))
    images[group == 1, :3] += 0.6
    np.savez(tmp_path / "i.npz", train_images=images, train_labels=group[:, None])
    found = medunsup.cluster(tmp_path / "i.npz", truth="labels", k=2, **QUICK)
    assert found.figures["accuracy"].mean == 1
    assert found.baselines[0].name == "pca + gmm"
    assert found.stability.method == "gmm"
    assert any("was asked of gmm" in remark for remark in found.remarks)
