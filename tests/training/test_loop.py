import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers.small_brains import small_brains
from helpers.train_learners import Denoiser, Duel

from medunsup.core.errors import DependencyError, StepError
from medunsup.training import monitor
from medunsup.training.datasets import Slices
from medunsup.training.learner import Learner, Loss, Objective
from medunsup.training.loop import Trained, Training, train
from medunsup.training.monitor import Progress
from medunsup.training.optimizers import Adam


def slices(n: int = 4, seed: int = 0) -> Slices:
    scans = small_brains(n, seed=seed)
    return Slices(scans.values, scans.masks, scans.names)


def run(
    learner: Learner, training: Training | None = None, *, epochs: int = 3, validate: bool = False
) -> Trained:
    validation = slices(2, seed=9) if validate else None
    return train(learner, slices(), validation, training or Training(), epochs=epochs, batch_size=4, seed=0)


def weights(learner: Learner) -> np.ndarray:
    return np.concatenate([value.detach().flatten() for value in learner.parameters()])


def test_the_loss_falls_and_each_epoch_is_one_line_of_json(tmp_path):
    run(Denoiser(), Training(folder=tmp_path), epochs=5, validate=True)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[-1]["denoising"] < 0.5 * rows[0]["denoising"]
    assert {"largest", "validation", "samples_per_s"} < rows[0].keys()


def test_scans_of_few_slices_are_one_batch_however_large_a_batch_may_be():
    masks = np.zeros((4, 8, 8, 4), bool)
    masks[..., 0] = True
    masks[0, ..., 1] = True
    view = Slices(np.ones((4, 1, 8, 8, 4), np.float32), masks)
    told: list[Progress] = []
    train(Denoiser(), view, None, Training(tell=told.append), epochs=2, batch_size=64, seed=0)
    assert [progress.step for progress in told] == [1, 2]


@pytest.mark.parametrize("validate", [False, True])
def test_views_are_made_in_full_precision_where_networks_compute_in_half(validate):
    class Watched(Denoiser):
        def augment(self, batch, generator):
            product = batch.values.flatten(1) @ batch.values.flatten(1).T
            seen.append(product.dtype)
            return batch

    seen: list[torch.dtype] = []
    run(Watched(), Training(precision="bf16-mixed", accelerator="cpu"), epochs=1, validate=validate)
    assert set(seen) == {torch.float32}


def test_training_leaves_the_callers_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    run(Denoiser())
    assert torch.equal(torch.rand(1), expected)


def test_each_objective_improves_its_own_parameters_when_it_is_due():
    duel = Duel()
    run(duel, epochs=4)
    names = [name for name, _, _ in duel.taken]
    batches = int(duel.batches)
    late = [step for step in range(batches) if step % 3 == 0 and step / batches >= 0.5]
    assert names.count("one") == batches
    assert names.count("other") == len(late)
    assert all(
        needs == (name == "one", name == "other") for name, *rest in duel.taken for needs in [tuple(rest)]
    )
    assert duel.one.requires_grad
    assert duel.other.requires_grad


def test_training_ends_early_with_the_best_weights():
    class Worsening(Denoiser):
        """Says of itself that it is best after the second epoch."""

        validations = 0

        def validate(self, batch, generator):
            self.validations += 1
            self.kept = weights(self) if self.validations == 2 else getattr(self, "kept", None)
            return torch.tensor([3.0, 1.0, 2.0, 2.0, 2.0][self.validations - 1])

    learner, validation = Worsening(), slices(1)
    ended = train(
        learner, slices(), validation, Training(patience=3), epochs=9, batch_size=len(validation), seed=0
    )
    assert ended == Trained(epochs=5, best_epoch=2, best_validation=1.0)
    assert np.array_equal(weights(learner), learner.kept)


def test_the_last_weights_are_kept_where_that_is_asked_for_and_validation_changes_none():
    kept, alone = Denoiser(), Denoiser()
    training = Training(patience=None, keep="last")
    ended = train(kept, slices(), slices(2), training, epochs=4, batch_size=4, seed=0)
    train(alone, slices(), None, Training(), epochs=4, batch_size=4, seed=0)
    assert ended.best_epoch == ended.epochs == 4
    assert np.array_equal(weights(kept), weights(alone))


def test_validation_draws_the_same_noise_each_time():
    class Idle(Denoiser):
        def objectives(self):
            return [Objective("denoising", self.parameters, self.loss, Adam(0.0))]

    rows = []
    idle = Idle()

    train(
        idle,
        slices(),
        slices(2),
        Training(tell=lambda p: rows.append(p.best_validation)),
        epochs=3,
        batch_size=4,
        seed=0,
    )
    assert len(set(rows) - {None}) == 1


def test_a_loss_that_is_not_a_number_names_the_scans_and_keeps_the_last_good_checkpoint(tmp_path):
    from medunsup.training import checkpoint

    scans = small_brains(4)
    scans.values[2, 0, 8, 8, 4] = np.nan
    learner = Denoiser()
    with pytest.raises(StepError, match=r"not finite at batch .*person 2") as caught:
        train(
            learner,
            Slices(scans.values, scans.masks, scans.names),
            None,
            Training(folder=tmp_path, checkpoint_every_s=0),
            epochs=3,
            batch_size=2,
            seed=0,
        )
    assert "learning_rate" in str(caught.value)
    assert np.isfinite(weights(learner)).all()
    state = checkpoint.load(tmp_path / checkpoint.NAME)["learner"]
    assert all(value.isfinite().all() for value in state.values())


def test_weights_that_are_not_finite_never_reach_a_checkpoint(tmp_path):
    class Poisoned(Denoiser):
        def after_step(self, progress):
            with torch.no_grad():
                self.network[0].bias[0] = torch.nan

    with pytest.raises(StepError, match="not finite"):
        run(Poisoned(), Training(folder=tmp_path, checkpoint_every_s=0))
    assert not (tmp_path / "checkpoint.bin").exists()


def test_time_left_is_told_after_every_batch_and_comes_true(monkeypatch):
    told: list[tuple[float, Progress]] = []
    now = [100.0]
    monkeypatch.setattr(monitor, "time", SimpleNamespace(monotonic=lambda: now[0]))

    class Slow(Denoiser):
        def after_step(self, progress):
            now[0] += 2.5

    run(Slow(), Training(tell=lambda progress: told.append((now[0], progress))))
    end = told[-1][0]
    assert [progress.step for _, progress in told] == list(range(1, told[-1][1].steps + 1))
    assert [progress.seconds_left for _, progress in told] == pytest.approx([end - when for when, _ in told])


def test_pictures_show_input_reconstruction_and_difference(tmp_path):
    from PIL import Image

    run(Denoiser(), Training(folder=tmp_path, pictures_every=2), epochs=3)
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [picture.name for picture in pictures] == ["epoch-0002.png", "epoch-0003.png"]
    with Image.open(pictures[0]) as picture:
        assert picture.size == (4 * 16, 3 * 16)
        upper = np.asarray(picture)[:16]
    assert 0.2 < (upper > 0).mean() < 0.9


@pytest.mark.parametrize(("depth", "quarters"), [(1, 0), (3, 1)])
def test_pictures_of_images_are_as_stored_and_slices_have_the_front_up(tmp_path, depth, quarters):
    from PIL import Image

    values = np.zeros((4, 1, 12, 16, depth), np.float32)
    values[:, :, :3, :6] = 1  # upper left of an image
    whole = np.ones((4, 12, 16, depth), bool)
    train(Denoiser(), Slices(values, whole), None, Training(folder=tmp_path), epochs=1, batch_size=4, seed=0)
    with Image.open(tmp_path / "pictures" / "epoch-0001.png") as picture:
        sheet = np.asarray(picture)
    item = np.rot90(values[0, 0, ..., 0], quarters)
    np.testing.assert_array_equal(sheet[: item.shape[0], : item.shape[1]], 255 * item)


def test_without_tensorboard_the_remedy_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(DependencyError, match="pip install tensorboard"):
        run(Denoiser(), Training(folder=tmp_path, tensorboard=True))


def test_a_batch_worked_off_in_pieces_gives_what_the_whole_gives():
    class Quiet(Denoiser):
        def loss(self, batch, generator):
            return Loss((self.network[0](batch.values) - 1).square().mean(), {})

    whole, pieces = Quiet(), Quiet()
    run(whole)
    run(pieces, Training(parts=4))
    assert np.allclose(weights(whole), weights(pieces), atol=1e-6)
    assert not np.allclose(weights(whole), weights(Quiet()), atol=1e-2)


@pytest.mark.parametrize("learner", [Denoiser, Duel])
def test_without_a_folder_nothing_is_written(learner, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(learner())
    assert list(Path.cwd().iterdir()) == []


def test_a_transform_is_seen_by_training_and_not_by_validation():
    from medunsup.anomaly.models.ae import AE, AEConfig

    def blacken(item):
        return {**item, "values": torch.zeros_like(item["values"])}

    config = AEConfig(channels=4, levels=2, epochs=40, latent_dim=4, learning_rate=1e-2)
    told = []
    training = Training(transform=blacken, tell=told.append, patience=None)
    model = AE(config).fit(small_brains(3), validation=small_brains(2, seed=1), training=training)
    assert told[-1].losses["reconstruction"] < 0.01
    assert told[-1].best_validation > 0.1
    values, mask = next(iter(small_brains(1)))
    assert np.abs(model.reconstruct(values, mask)).max() < 0.5
