"""Features of a scan do not depend on what lies beside it, or outside its mask's slices."""

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains

from medunsup.nn.encoder import make_encoder
from medunsup.selfsupervised.encode import encode


@pytest.fixture(params=[2, 3])
def encoder(request):
    torch.manual_seed(0)
    return make_encoder("cnn", {"channels": 4, "levels": 2}, dims=request.param, channels=1)


def test_a_row_is_the_mean_over_the_slices_inside_the_mask_or_of_the_volume(encoder):
    scans = small_brains(3)
    rows = encode(encoder, scans.values, scans.masks)
    for row, values, mask in zip(rows, scans.values, scans.masks, strict=True):
        x, inside = torch.from_numpy(values)[None], torch.from_numpy(mask)[None, None]
        if encoder.dims == 2:
            used = mask.any(axis=(0, 1))
            x, inside = (one[0].permute(3, 0, 1, 2)[used] for one in (x, inside))
        with torch.no_grad():
            expected = encoder.features(x, inside).mean(dim=0)
        assert np.allclose(row, expected, rtol=1e-4, atol=1e-6)


def test_more_scans_than_a_batch_holds_give_the_rows_of_each_alone(encoder):
    scans = small_brains(11)
    rows = encode(encoder, scans.values, scans.masks)
    alone = [encode(encoder, scans.values[n : n + 1], scans.masks[n : n + 1])[0] for n in range(11)]
    assert np.allclose(rows, alone, rtol=1e-4, atol=1e-6)


def test_an_empty_mask_counts_as_none(encoder):
    scans = small_brains(2)
    empty = np.zeros_like(scans.masks)
    assert np.array_equal(encode(encoder, scans.values, empty), encode(encoder, scans.values))
    assert np.isfinite(encode(encoder, 0 * scans.values)).all()


def test_masks_are_left_as_they_were_given(encoder):
    scans = small_brains(2)
    masks = np.zeros_like(scans.masks)
    encode(encoder, scans.values, masks)
    assert not masks.any()
