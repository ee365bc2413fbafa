"""A table of a user's own with a column of words: `cluster` and `reduce` treat it alike."""

import logging

import numpy as np
import pytest

import medunsup

CHOICES = {"cluster": {"method": "kmeans", "k": 2, "seeds": 1, "umap": False}, "reduce": {"method": "pca"}}


@pytest.mark.parametrize("verb", ["cluster", "reduce"])
def test_words_are_no_features_in_both_and_told(verb, tmp_path, caplog):
    rows = np.random.default_rng(0).normal(size=(20, 2))
    lines = [f"p{n},{'AB'[n % 2]},{first:.3f},{second:.3f}" for n, (first, second) in enumerate(rows)]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["id,group,left_ml,right_ml", *lines]))
    with caplog.at_level(logging.INFO, logger="medunsup"):
        found = getattr(medunsup, verb)(path, **CHOICES[verb])
    assert found.names == ("left_ml", "right_ml")
    assert "no features, as they hold words (1): group." in caplog.text
    named = getattr(medunsup, verb)(path, covariates=["group"], **CHOICES[verb])
    mine, other = (each.labels if verb == "cluster" else each.places for each in (found, named))
    np.testing.assert_array_equal(mine, other)
