"""What single deep models promise beyond the contract of all of them."""

from typing import Any

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from safetensors.numpy import save_file
from torch import Tensor, nn

from medunsup.anomaly.deep import DeepModel
from medunsup.core.errors import InputError
from medunsup.core.registry import method
from medunsup.nn.erase import erase_boxes
from medunsup.training.learner import Batch
from medunsup.training.loop import Training

SMALL: dict[str, Any] = {"channels": 4, "levels": 2, "epochs": 3, "learning_rate": 3e-3}


def make(name: str, **parameters: Any) -> DeepModel:
    kind = method("anomaly", name)
    return kind(kind.Config.parse(SMALL | parameters))


def person(seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    return next(iter(small_brains(1, seed=seed)))


def mean_divergence(model: Any) -> float:
    values = torch.from_numpy(person()[0]).permute(3, 0, 1, 2)
    with torch.no_grad():
        return float(model.learner_.divergence(values).mean())


def change_of_code(model: DeepModel) -> float:
    """How far the code moves with a faint change of the scan, per unit of how far codes of people differ."""
    values, mask = person()
    noise = 0.01 * np.random.default_rng(0).normal(size=values.shape).astype(np.float32) * mask
    codes = [model.encode(scan, mask) for scan in (values, values + noise, person(6)[0] * mask)]
    return float(np.linalg.norm(codes[1] - codes[0]) / np.linalg.norm(codes[2] - codes[0]))


def test_a_sparse_code_uses_no_more_than_its_share():
    model = make("sparse_ae", latent_dim=40, active=0.1).fit(small_brains())
    codes = model.encode(*person())
    assert (np.count_nonzero(codes, axis=1) == 4).all()


@pytest.mark.slow
def test_contraction_makes_the_code_follow_faint_noise_less():
    free, tight = (
        make("contractive_ae", latent_dim=8, epochs=8, contraction=weight).fit(small_brains())
        for weight in (0.0, 0.1)
    )
    assert change_of_code(tight) < change_of_code(free)


def test_a_higher_beta_keeps_the_posterior_closer_to_the_prior():
    loose, tight = (
        make("beta_vae", latent_dim=8, epochs=8, beta=beta).fit(small_brains()) for beta in (1.0, 100.0)
    )
    assert mean_divergence(tight) < mean_divergence(loose)


@pytest.mark.parametrize("shape", [(64, 2, 16, 12), (64, 2, 8, 10, 6)])
def test_erased_boxes_stay_inside_the_mask_and_hold_one_grey_value_each(shape):
    masks = torch.rand(shape[0], 1, *shape[2:], generator=torch.Generator().manual_seed(1)) < 0.8
    values = 2 + torch.rand(shape)
    erased = erase_boxes(values, masks, most=1, largest=0.5, generator=torch.Generator().manual_seed(2))
    changed = erased != values
    assert not (changed & ~masks).any()
    greys = [item[there].unique() for item, there in zip(erased, changed, strict=True)]
    assert {len(grey) for grey in greys} == {0, 1}
    for axis in range(2, len(shape)):
        others = [n for n in range(1, len(shape)) if n != axis]
        assert changed.any(dim=tuple(others)).sum(dim=1).max() <= shape[axis] / 2 + 1


def test_the_gans_encoder_learns_when_generator_and_critic_are_done():
    learner = make("fanogan", adversary_share=0.5)._build(small_brains().shape)
    due = [
        [objective.name for objective in learner.objectives() if learner.is_due(objective, at)]
        for at in (0.0, 0.49, 0.5, 0.9)
    ]
    assert due == [["critic", "generator"]] * 2 + [["encoder"]] * 2


def test_a_gan_is_not_stopped_before_its_encoder_has_learned():
    model = make("fanogan", epochs=8, adversary_share=0.7)
    untrained = model._build(small_brains().shape).encoder.state_dict()
    model.fit(small_brains(), validation=small_brains(2, seed=3), training=Training(patience=1))
    trained = model.learner_.encoder.state_dict()
    assert all(not torch.equal(untrained[name], trained[name]) for name in untrained)


def test_features_of_a_pretrained_encoder_stay_as_they_were_learned(tmp_path):
    scans = small_brains()
    pretrained = make("ae").fit(scans).state()
    save_file(pretrained, tmp_path / "weights.safetensors")
    model = make("feature_ae", encoder=tmp_path / "weights.safetensors").fit(scans)
    kept = {name: value for name, value in model.state().items() if name.startswith("features.")}
    assert kept
    for name, value in kept.items():
        np.testing.assert_array_equal(value, pretrained[name.replace("features.", "encoder.")])
    (tmp_path / "weights.safetensors").unlink()
    stored = make("feature_ae", encoder=tmp_path / "weights.safetensors")
    stored.load_state(model.state(), scans.shape)
    np.testing.assert_array_equal(stored.deviation(*person()), model.deviation(*person()))


@pytest.mark.parametrize("prefix", ["model/encoder.", "encoder.", ""])
def test_an_encoder_is_taken_from_a_model_folders_weights_as_well(tmp_path, prefix):
    scans = small_brains()
    weights = make("ae").fit(scans).state()
    renamed = {name.replace("encoder.", prefix): value for name, value in weights.items()}
    save_file(renamed, tmp_path / "weights.safetensors")
    taken = make("feature_ae", encoder=tmp_path / "weights.safetensors").fit(scans).state()
    np.testing.assert_array_equal(taken["features.0.0.weight"], weights["encoder.0.0.weight"])


@pytest.mark.parametrize(("channels", "levels"), [(8, 2), (4, 3)])
def test_an_encoder_of_other_sizes_is_refused(tmp_path, channels, levels):
    path = tmp_path / "weights.safetensors"
    save_file(make("ae").fit(small_brains()).state(), path)
    with pytest.raises(InputError, match="no encoder of these sizes"):
        make("feature_ae", encoder=path, channels=channels, levels=levels).fit(small_brains())


def test_an_encoder_that_is_no_safetensors_file_is_refused(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"nothing of the kind")
    for name in ("weights.safetensors", "missing.safetensors"):
        with pytest.raises(InputError, match=name):
            make("feature_ae", encoder=tmp_path / name).fit(small_brains())


class Recorder(nn.Module):
    """Stands in for a network: keeps what it is shown, answers with the number of times it was."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.shown.append(x)
        return torch.full_like(x[:, :-1], len(self.shown))


@pytest.mark.parametrize("dims", [2, 3])
def test_each_voxel_is_denoised_once_with_all_other_patches_in_view(dims):
    learner = make("ddpm", dims=dims, patches=2)._build((1, 16, 16, 8))
    learner.network = Recorder()
    x = torch.rand(3, 1, *(16, 16, 8)[:dims])
    masks = torch.rand(x.shape) < 0.9
    made = learner.draw(x, masks, torch.Generator().manual_seed(0))
    assert len(learner.network.shown) == 2**dims
    assert torch.equal(made > 0, masks)
    for number, shown in enumerate(learner.network.shown, start=1):
        patch, noise_level = (made == number), shown[:, -1:]
        assert torch.equal(noise_level > 0, patch)
        assert torch.equal(shown[:, :-1][~patch], x[~patch])
        assert not torch.equal(shown[:, :-1][patch], x[patch])


@pytest.mark.slow
def test_a_patch_made_brighter_is_told_from_the_same_voxels_as_they_were():
    people, (values, mask) = small_brains(8, (32, 32, 8)), next(iter(small_brains(1, (32, 32, 8), seed=5)))
    model = make("fpi", foreign=0.0, shift_sd=1.0, channels=8, epochs=100).fit(people)
    patch = np.zeros_like(mask)
    patch[8:14, 12:18, 2:6] = True
    brighter = np.where(patch, values + 0.6, values).astype(np.float32)
    assert model.deviation(brighter, mask)[patch].mean() > 4 * model.deviation(values, mask)[patch].mean()


def test_a_shift_or_a_foreign_patch_never_leaves_the_mask():
    learner = make("fpi")._build((1, 16, 16, 8))
    values, masks = torch.rand(6, 1, 16, 16), torch.rand(6, 1, 16, 16) < 0.8
    change = learner.change(Batch(values * masks, masks, torch.arange(6)), torch.Generator().manual_seed(0))
    assert change.abs().sum() > 0
    assert not change[~masks].any()
