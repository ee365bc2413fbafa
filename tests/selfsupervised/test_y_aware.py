"""Covariates reach the batches, and whoever is of like age is no stranger."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.pretraining import make
from helpers.small_brains import small_brains

from medunsup.core.errors import InputError, UsageError
from medunsup.selfsupervised.losses.nt_xent import nt_xent

GENERATOR = torch.Generator()


@pytest.mark.parametrize("parameters", [{}, {"patch": (8, 8)}, {"dims": 3}])
def test_each_item_has_the_covariates_of_its_scan_also_in_pieces(parameters):
    scans = replace(small_brains(4), covariates=np.array([[20, 1.5], [30, 1.6], [40, 1.7], [50, 1.8]]))
    data = make("y_aware", **{"dims": 2, **parameters}).dataset(scans)
    batch = data.batch(data.order(0, 0))
    assert torch.allclose(batch.covariates.double(), torch.from_numpy(scans.covariates[batch.scans]))
    shown = batch.shown_as(batch.views * 2)
    pieces = torch.cat([piece.covariates for piece in shown.split(3)])
    assert torch.equal(pieces, batch.covariates)


def test_the_loss_sees_ages_and_with_a_narrow_kernel_is_that_of_simclr():
    first, second = torch.randn(2, 6, 64, generator=torch.Generator().manual_seed(0))
    ages = torch.tensor([[20.0], [21], [40], [41], [60], [61]])
    wide, narrow = (make("y_aware", 2, bandwidth=width)._build((1, 16, 16, 1)) for width in (5, 0.05))
    plain = float(nt_xent(first, second))
    assert float(narrow.loss((first, second, ages), GENERATOR).total) == pytest.approx(plain, abs=1e-4)
    near, far = first[[1, 0, 3, 2, 5, 4]], first[[3, 2, 5, 4, 1, 0]]  # as alike as neighbours, or strangers
    assert wide.loss((first, near, ages), GENERATOR).total < wide.loss((first, far, ages), GENERATOR).total


def test_scans_of_which_nothing_is_known_are_refused_with_what_to_give():
    unknown = replace(small_brains(), covariates=None)
    with pytest.raises(UsageError, match=r"Scans\(values, masks, covariates=ages\)"):
        make("y_aware", 2).fit(unknown)


@pytest.mark.parametrize(
    ("covariates", "said"),
    [(np.zeros(3), "of 4 scans"), (np.array([1, np.nan, 2, 3]), "scan 1 is not finite")],
)
def test_covariates_of_other_scans_or_unknown_ones_are_refused(covariates, said):
    with pytest.raises(InputError, match=said):
        replace(small_brains(4), covariates=covariates)


def test_other_ages_are_other_data():
    scans = small_brains(4)
    older = replace(scans, covariates=scans.covariates + 1)
    method = make("y_aware", 2)
    assert method.dataset(scans).digest() != method.dataset(older).digest()
    assert np.array_equal(scans.take([2, 0]).covariates, scans.covariates[[2, 0]])
