"""What every method for few labels keeps."""

import json
import os
import signal
import warnings
from dataclasses import replace

import numpy as np
import pytest
from helpers.few_labels import (
    FEATURES,
    NETWORKS,
    TASKS,
    around_an_encoder,
    blobs,
    few,
    labelled_images,
    on_features,
    scans_for,
)

from medunsup.core.errors import ArrayError, InputError, UsageError
from medunsup.training.loop import Training
from medunsup.training.monitor import Progress
from medunsup.training.signals import StoppedError

HERE = Training(accelerator="cpu")
on_rows = pytest.mark.parametrize("name", FEATURES)
of_networks = pytest.mark.parametrize(("name", "task"), TASKS)


@on_rows
def test_classes_far_apart_are_found_in_fitted_and_in_new_rows(name):
    rows, truth = blobs(classes=3)
    fitted = on_features(name).fit(rows, few(truth, 2))
    new, of_new = blobs(30, classes=3, seed=1)
    for asked, wanted in ((rows, truth), (new, of_new)):
        shares = fitted.probabilities(asked)
        assert shares.shape == (len(asked), 3)
        np.testing.assert_allclose(shares.sum(axis=1), 1)
        assert (shares >= 0).all()
        assert (fitted.predict(asked) == wanted).mean() > 0.97


@on_rows
def test_coverage_is_a_share_and_one_without_unlabelled_rows(name):
    rows, truth = blobs()
    assert 0 <= on_features(name).fit(rows, few(truth, 2)).coverage_ <= 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert on_features(name).fit(rows, truth).coverage_ == 1


@on_rows
def test_other_numbers_of_the_classes_move_the_columns_alone(name):
    rows, truth = blobs(classes=3, apart=3)
    labels, new = few(truth, 3), np.array([7, 2, 4])
    renamed = np.where(labels < 0, -1, new[labels])
    one, other = (on_features(name).fit(rows, marks) for marks in (labels, renamed))
    assert other.classes_.tolist() == [2, 4, 7]
    columns = np.searchsorted(other.classes_, new)
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(rows)[:, columns], atol=1e-4)


@on_rows
def test_order_of_the_rows_does_not_matter(name):
    rows, truth = blobs(apart=3)
    labels, order = few(truth, 3), np.random.default_rng(1).permutation(len(rows))
    one = on_features(name).fit(rows, labels)
    other = on_features(name).fit(rows[order], labels[order])
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(rows), atol=1e-4)


@on_rows
def test_scale_and_offset_of_a_feature_do_not_matter(name):
    rows, truth = blobs(apart=3)
    labels = few(truth, 3)
    changed = rows * [100.0, 0.01] + [5.0, -7.0]
    one, other = (on_features(name).fit(given, labels) for given in (rows, changed))
    np.testing.assert_allclose(one.probabilities(rows), other.probabilities(changed), atol=1e-4)


@on_rows
def test_a_row_alone_gets_what_it_gets_among_others(name):
    rows, truth = blobs(apart=3)
    fitted = on_features(name).fit(rows, few(truth, 3))
    np.testing.assert_allclose(fitted.probabilities(rows[5:6])[0], fitted.probabilities(rows)[5], rtol=1e-6)


@on_rows
@pytest.mark.parametrize(
    ("rows", "labels", "said"),
    [
        (np.ones((4, 2)), [0, 0, -1, -1], "two classes or more"),
        (np.ones((4, 2)), [0, 1, -1], "one label a row"),
        (np.ones((4, 2)), [0.0, 1.0, -1.0, -1.0], "whole numbers"),
        (np.ones((4, 2)), [0, 1, -1, -2], "-1 where"),
        (np.array([[0.0], [np.nan]]), [0, 1], "Row 1 has a feature"),
        (np.ones(4), [0, 1, -1, -1], "Features are"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(name, rows, labels, said):
    with pytest.raises(ArrayError, match=said):
        on_features(name).fit(rows, np.asarray(labels))


@on_rows
def test_rows_of_other_features_are_refused(name):
    rows, truth = blobs()
    with pytest.raises(ArrayError, match="fitted on 2"):
        on_features(name).fit(rows, few(truth, 2)).probabilities(np.ones((3, 5)))


def differing(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Name the arrays that are not the same to the last bit."""
    assert one.keys() == other.keys()
    return [key for key in one if not np.array_equal(one[key], other[key])]


@of_networks
def test_both_arms_learn_and_the_seed_decides_how(name, task):
    scans = scans_for(task)
    first, again, other = (
        around_an_encoder(name, task, seed=seed).fit(scans, training=HERE) for seed in (0, 0, 1)
    )
    assert differing(first.state(), again.state()) == []
    assert differing(first.state(), other.state())
    one, two = (first.state(f"arms.{arm}") for arm in ("semisupervised", "supervised"))
    assert differing(one, two)


@of_networks
def test_a_run_stopped_and_resumed_ends_with_the_weights_of_an_unbroken_one(name, task, tmp_path):
    scans, validation = scans_for(task), scans_for(task, all_known=True, seed=3)

    def stop_halfway(progress: Progress) -> None:
        if progress.step == progress.steps // 2 + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    training = Training(accelerator="cpu", folder=tmp_path / "run", tell=stop_halfway)
    with pytest.raises(StoppedError, match="resume=True"):
        around_an_encoder(name, task).fit(scans, validation=validation, training=training)
    resumed = around_an_encoder(name, task).fit(
        scans, validation=validation, training=replace(training, resume=True, tell=None)
    )
    unbroken = around_an_encoder(name, task).fit(scans, validation=validation, training=HERE)
    assert differing(resumed.state(), unbroken.state()) == []
    assert resumed.choice_ == unbroken.choice_


@of_networks
def test_the_supervised_arm_learns_the_same_whatever_the_method_makes_of_unlabelled_items(name, task):
    """Other values of unlabelled items change the method's network and not the one beside it."""
    scans = scans_for(task)
    unknown = scans.labels < 0 if task == "classify" else scans.values[:, -1].min(axis=(1, 2, 3)) < 0
    values = scans.values.copy()
    values[unknown, 0] = 0.7 * values[unknown, 0, ::-1]
    still = {"augment": False}
    one, other = (
        around_an_encoder(name, task, **still).fit(given, training=HERE)
        for given in (scans, replace(scans, values=values))
    )
    assert differing(one.state("arms.supervised"), other.state("arms.supervised")) == []
    assert differing(one.state("arms.semisupervised"), other.state("arms.semisupervised"))


@of_networks
def test_the_log_tells_coverage_and_how_right_pseudo_labels_are(name, task, tmp_path):
    scans, validation = scans_for(task), scans_for(task, all_known=True, seed=3)
    around_an_encoder(name, task).fit(scans, validation=validation, training=replace(HERE, folder=tmp_path))
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert all(0 <= row["coverage"] <= 1.0001 for row in rows if row["epoch"])
    assert rows[-1]["coverage"] == pytest.approx(1, abs=1e-5)
    assert all(0 <= row["pseudo_accuracy"] <= 1 for row in rows)


@of_networks
def test_the_better_network_on_validation_scans_is_kept_and_said(name, task):
    scans, validation = scans_for(task), scans_for(task, all_known=True, seed=3)
    fitted = around_an_encoder(name, task).fit(scans, validation=validation, training=HERE)
    kept, figures = fitted.choice_.kept, fitted.choice_.figures
    assert figures[kept] == max(figures.values())
    assert "validation scans" in fitted.choice_.sentence
    given = (validation,) if task == "classify" else (validation.values[0, :1], validation.masks[0])
    assert np.array_equal(fitted.probabilities(*given), fitted.probabilities(*given, arm=kept))
    np.testing.assert_allclose(fitted.probabilities(*given).sum(axis=int(task == "classify")), 1, atol=1e-5)
    alone = around_an_encoder(name, task).fit(scans, training=HERE).choice_
    assert (alone.kept, alone.figures) == ("semisupervised", {})


@of_networks
def test_answers_and_the_choice_survive_the_state(name, task):
    scans, validation = scans_for(task), scans_for(task, all_known=True, seed=3)
    fitted = around_an_encoder(name, task).fit(scans, validation=validation, training=HERE)
    again = around_an_encoder(name, task).load_state(fitted.state(), scans.shape)
    assert again.learner_.kept == fitted.choice_.kept
    given = (scans,) if task == "classify" else (scans.values[1, :1], scans.masks[1])
    assert np.array_equal(again.probabilities(*given), fitted.probabilities(*given))


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {"mixmatch"}))
def test_a_batch_in_pieces_gives_the_gradient_of_the_whole(name):
    """Mixtures are made of the items of a piece."""
    scans = labelled_images()
    whole, pieces = (
        around_an_encoder(name, augment=False, steps=1).fit(scans, training=replace(HERE, parts=parts))
        for parts in (1, 2)
    )
    for key, value in whole.state().items():
        np.testing.assert_allclose(value, pieces.state()[key], atol=2e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_what_cannot_be_learned_from_few_labels_is_refused(name):
    scans = labelled_images()
    for labels, said in (
        (np.full(16, -1), "0 of 16 scans are labelled"),
        (np.arange(16) % 2, "16 of 16 scans are labelled"),
        (np.where(scans.labels == 1, -1, scans.labels), "No labelled scan shows class 1"),
    ):
        with pytest.raises(InputError, match=said):
            around_an_encoder(name).fit(replace(scans, labels=labels))
    with pytest.raises(InputError, match="Validation scans"):
        around_an_encoder(name).fit(scans, validation=scans)


@pytest.mark.parametrize("name", sorted(set(NETWORKS) - {one for one, task in TASKS if task == "segment"}))
def test_a_method_for_scans_alone_refuses_voxels(name):
    with pytest.raises(UsageError, match="fixmatch are for both"):
        around_an_encoder(name, "segment")


@of_networks
def test_volumes_are_learned_from_too(name, task):
    if task == "classify":
        scans = labelled_images(8, each=2)
        scans = replace(
            scans, values=np.repeat(scans.values, 8, axis=4), masks=np.repeat(scans.masks, 8, axis=3)
        )
    else:
        scans = scans_for(task)
    fitted = around_an_encoder(name, task, dims=3, steps=2, batch_size=4).fit(scans, training=HERE)
    given = (scans,) if task == "classify" else (scans.values[0, :1], scans.masks[0])
    assert np.isfinite(fitted.probabilities(*given)).all()
