import pytest
import torch

from medunsup.nn.noise import blob_noise, blobs, coarse_noise, white_noise

MAKERS = [white_noise, coarse_noise]


def make(maker, shape: tuple[int, ...] = (64, 1, 48, 64), sd: float = 0.2, seed: int = 0) -> torch.Tensor:
    masks = torch.ones((shape[0], 1, *shape[2:]), dtype=torch.bool)
    masks[..., :8, :] = False
    return maker(torch.zeros(shape), masks, sd, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("maker", MAKERS)
def test_noise_stays_inside_the_mask_and_follows_the_seed(maker):
    noise = make(maker)
    assert not noise[..., :8, :].any()
    assert noise[..., 8:, :].all()
    assert torch.equal(noise, make(maker))
    assert not torch.equal(noise, make(maker, seed=1))


def test_blobs_are_few_and_whole_and_noise_lies_in_them_only():
    values, masks = torch.zeros(64, 1, 48, 64), torch.ones((64, 1, 48, 64), dtype=torch.bool)
    found = blobs(values, torch.Generator().manual_seed(0))
    assert 0.0 <= float(found.min()) <= float(found.max()) == 1.0
    assert 0.02 < float((found > 0).float().mean()) < 0.2
    assert float((found == 1).float().mean()) > 0.3 * float((found > 0).float().mean())
    noise = blob_noise(values, masks, 0.2, torch.Generator().manual_seed(0))
    assert 0.02 < float((noise != 0).float().mean()) < 0.2


def test_white_noise_has_the_deviation_asked_for():
    assert float(make(white_noise)[..., 8:, :].std()) == pytest.approx(0.2, rel=0.02)


def test_coarse_noise_has_the_deviation_asked_for_at_its_points_and_a_coarse_grain():
    noise = coarse_noise(
        torch.zeros(256, 1, 16, 16), torch.ones(256, 1, 16, 16), 0.2, torch.Generator().manual_seed(0)
    )
    assert float(noise.std()) == pytest.approx(0.2, rel=0.02)
    fine = make(coarse_noise)[..., 8:, :]
    along = (fine[..., 1:] * fine[..., :-1]).mean() / fine.square().mean()
    assert along > 0.9


@pytest.mark.parametrize("maker", [*MAKERS, blob_noise])
def test_noise_comes_in_three_dimensions_too(maker):
    noise = make(maker, (2, 2, 16, 24, 20))
    assert noise.shape == (2, 2, 16, 24, 20)
    assert torch.isfinite(noise).all()
