"""Principal components are scikit-learn's, whichever of scans and voxels are more."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from medunsup.training.scan_stack import Scans
from medunsup.workflows.probe.components import principal_components


def made(n: int, shape: tuple[int, ...], seed: int) -> Scans:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, 2, *shape)).astype(np.float32) * np.linspace(1, 3, shape[0])[:, None, None]
    masks = np.ones((n, *shape), bool)
    masks[:, -1] = False
    return Scans(values, masks)


@pytest.mark.parametrize(("n", "shape"), [(60, (3, 2, 2)), (12, (5, 6, 4)), (9, (3, 2, 2))])
def test_components_are_those_of_scikit_learn_inside_the_mask(n, shape):
    scans = {"train": made(n, shape, 0), "test": made(7, shape, 1)}
    found = principal_components(scans, 5)
    train, test = (
        scans[split].values[:, :, :-1].reshape(len(scans[split]), -1) for split in ("train", "test")
    )
    theirs = PCA(5).fit(train)
    for ours, given in ((found.train, train), (found.test, test)):
        assert np.abs(ours) == pytest.approx(np.abs(theirs.transform(given)), abs=1e-4)


def test_there_are_no_more_components_than_scans_and_voxels_leave():
    scans = {"train": made(6, (5, 6, 4), 0), "test": made(7, (5, 6, 4), 1)}
    assert principal_components(scans, 100).train.shape == (6, 5)  # the mean takes one
    small = {"train": made(60, (2, 2, 1), 0), "test": made(7, (2, 2, 1), 1)}
    assert principal_components(small, 100).test.shape == (7, 4)
