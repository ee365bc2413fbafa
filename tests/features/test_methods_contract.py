"""What every kind of features keeps to, whatever it measures."""

import numpy as np
import pytest
from helpers.small_brains import small_brains

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError, UsageError
from medunsup.core.registry import method, methods
from medunsup.features.base import FeatureInput

NAMES = [card.name for card in methods("feature")]


def cohort(n: int = 6) -> list[FeatureInput]:
    """Small brains with tissues that follow from the intensities, and a little from the place."""
    scans = small_brains(n, shape=(16, 16, 8))
    found = []
    for values, mask in scans:
        shares = np.exp(-20 * (values[0] - np.array([0.5, 0.7, 0.3])[:, None, None, None]) ** 2)
        found.append(FeatureInput(values, mask, 8.0, (shares / shares.sum(axis=0)).astype(np.float32)))
    return found


@pytest.fixture(scope="module")
def scans() -> list[FeatureInput]:
    return cohort()


@pytest.fixture(params=NAMES)
def feature(request, scans):
    return method("feature", request.param)().fit(iter(scans))


def test_every_number_has_a_name_and_a_sentence(feature, scans):
    told = feature.describe()
    assert feature.transform(scans[0]).shape == (len(told),)
    assert all(told.values())
    assert not [name for name in told if "/" in name or not name.isprintable()]


def test_the_same_scan_gives_the_same_numbers_and_is_not_changed(feature, scans):
    before = [np.array(part) for part in (scans[1].values, scans[1].mask, scans[1].fractions)]
    assert feature.transform(scans[1]).tobytes() == feature.transform(scans[1]).tobytes()
    for kept, part in zip(before, (scans[1].values, scans[1].mask, scans[1].fractions), strict=True):
        assert np.array_equal(kept, part)


def test_scans_that_differ_have_other_features(feature, scans):
    rows = np.stack([feature.transform(scan) for scan in scans])
    assert np.isfinite(rows).all()
    assert len(np.unique(rows, axis=0)) == len(scans)


@pytest.mark.parametrize("name", [name for name in NAMES if not method("feature", name).needs_fit])
def test_what_lies_outside_the_brain_changes_nothing(name, scans):
    feature, mask = method("feature", name)(), scans[0].mask
    dark, bright = (np.where(mask, scans[0].values, value).astype(np.float32) for value in (0, 0.77))
    one, other = (FeatureInput(values, mask, 8.0, scans[0].fractions) for values in (dark, bright))
    assert np.array_equal(feature.transform(one), feature.transform(other))


def test_a_mirrored_scan_has_the_same_numbers_unless_they_are_of_places(feature, scans):
    flipped = FeatureInput(scans[0].values[:, ::-1], scans[0].mask[::-1], 8.0, scans[0].fractions[:, ::-1])
    is_same = np.allclose(feature.transform(flipped), feature.transform(scans[0]), rtol=1e-9, atol=1e-12)
    assert is_same == (feature.method_name != "pca")


def test_parameters_are_checked_by_name(feature):
    assert issubclass(feature.Config, Config)
    with pytest.raises(UsageError):
        feature.Config.parse({"colour": 1})


def test_fractions_are_asked_for_where_they_are_needed(feature, scans):
    bare = FeatureInput(scans[0].values, scans[0].mask)
    if feature.needs_tissues:
        with pytest.raises(ArrayError, match="give fractions"):
            feature.transform(bare)
    else:
        assert np.array_equal(feature.transform(bare), feature.transform(scans[0]))


@pytest.mark.parametrize(
    "parts",
    [
        {"values": np.ones((4, 4, 4))},
        {"values": np.ones((1, 4, 4, 5))},
        {"values": np.full((1, 4, 4, 4), np.nan)},
        {"mask": np.zeros((4, 4, 4), bool)},
        {"voxel_mm3": 0.0},
        {"fractions": np.ones((2, 4, 4, 4))},
    ],
)
def test_what_does_not_fit_together_is_refused(parts):
    with pytest.raises(ArrayError):
        FeatureInput(**{"values": np.ones((1, 4, 4, 4)), "mask": np.ones((4, 4, 4), bool), **parts})
