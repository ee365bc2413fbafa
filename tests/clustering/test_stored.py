"""A fitted method kept as arrays and opened again is the same method."""

import numpy as np
import pytest

from medunsup.core.registry import method, methods
from medunsup.io.files.artifact_folder import arrays_as_bytes

NAMES = [card.name for card in methods("clustering") if card.distribution == "medunsup"]
SHAPES = {"gmm": ("full", "tied", "diag", "spherical"), "bayesian_gmm": ("full", "tied", "diag", "spherical")}
MADE = [(name, shape) for name in NAMES for shape in SHAPES.get(name, ("",))]


@pytest.mark.parametrize(("name", "shape"), MADE)
def test_a_method_opened_again_says_the_same_of_new_rows(name, shape):
    cls = method("clustering", name)
    given = {"n_clusters": 3} | ({"covariance_type": shape} if shape else {})
    if "epochs" in cls.Config.model_fields:
        given |= {"epochs": 20}
    if name == "hdbscan":
        del given["n_clusters"]
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 3)) + 9 * (np.arange(60) % 3)[:, None]
    new = rng.normal(size=(20, 3)) + 9 * (np.arange(20) % 3)[:, None]
    fitted = cls(**given).fit(rows)
    state = fitted.state()
    assert arrays_as_bytes(state)  # safetensors takes every array
    opened = cls(**given).load_state(state)
    for each in ("predict", "predict_proba", "typicality"):
        np.testing.assert_array_equal(getattr(opened, each)(new), getattr(fitted, each)(new))
    np.testing.assert_array_equal(opened.labels_, fitted.labels_)
    np.testing.assert_array_equal(opened.typicality(), fitted.typicality())
    assert opened.n_clusters_ == fitted.n_clusters_ > 1


@pytest.mark.parametrize("name", ["kmeans", "gmm", "dec"])
def test_what_had_to_be_told_is_kept(name):
    cls = method("clustering", name)
    given = {"n_clusters": 4} | ({"epochs": 1, "pretrain_epochs": 1} if name == "dec" else {})
    fitted = cls(**given).fit(np.repeat([[0.0, 1.0], [5.0, 6.0]], 10, axis=0))
    assert fitted.remarks_
    assert cls(**given).load_state(fitted.state()).remarks_ == fitted.remarks_
