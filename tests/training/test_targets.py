"""Targets are cut as the items are, and belong to what a run is known by."""

import numpy as np
import pytest

from medunsup.core.errors import InputError
from medunsup.training.datasets import Draws, Slices, Volumes
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Scans
from medunsup.training.targets import WithTargets

VALUES = np.random.default_rng(0).random((3, 1, 6, 7, 5), np.float32)
MASKS = VALUES[:, 0] > 0.4
ASKED = np.concatenate([2 * VALUES, 1 - VALUES], axis=1)
KINDS = {
    "slices": Slices,
    "volumes": Volumes,
    "flat patches": lambda *arrays: Patches(*arrays, size=(3, 4)),
    "patches": lambda *arrays: Patches(*arrays, size=(3, 4, 2)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_cut_where_the_items_are(kind):
    make = KINDS[kind]
    data = WithTargets(make(VALUES, MASKS), make(ASKED, MASKS))
    for reader in (data, data.reader()):
        batch = reader.batch(np.arange(len(data)), Draws(seed=3, epoch=2))
        view, asked = batch.views
        assert np.array_equal(asked.values, np.concatenate([2 * view.values, 1 - view.values], axis=1))
        assert np.array_equal(asked.masks, view.masks)
        assert np.array_equal(batch.scans, make(VALUES, MASKS).scans)
    plain = make(VALUES, MASKS)
    assert np.array_equal(data.order(1, 2), plain.order(1, 2))


def test_other_targets_are_other_data():
    asked = ASKED.copy()
    asked[0, 0, 0, 0, 0] += 1
    one, same, other = (WithTargets(Volumes(VALUES, MASKS), Volumes(t, MASKS)) for t in (ASKED, ASKED, asked))
    assert one.digest() == same.digest() != other.digest()


def test_scans_keep_their_targets_when_some_are_taken():
    scans = Scans(VALUES, MASKS, targets=ASKED)
    assert np.array_equal(scans.take([2, 0]).targets, ASKED[[2, 0]])
    with pytest.raises(InputError, match="on the grid of the scans"):
        Scans(VALUES, MASKS, targets=ASKED[..., :4])
