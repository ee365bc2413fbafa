"""Learning with few labels from a pretrained encoder: what is hidden, chosen, written, refused, resumed."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.few_labels import few
from helpers.labelled_images import draw_images, write_labelled
from helpers.pretraining import write_images

import medunsup
from medunsup.core.errors import InputError, UsageError
from medunsup.training import Scans, Training
from medunsup.training.signals import StoppedError
from medunsup.workflows.finetune.few_labels.given import hide, hide_voxels, split_to_choose
from medunsup.workflows.finetune.few_labels.learned import Learned
from medunsup.workflows.finetune.pretrained import read_pretrained
from medunsup.workflows.finetune.request import FinetuneRequest
from medunsup.workflows.finetune.settings import FinetuneSettings
from medunsup.workflows.finetune.shares import some_of

TINY = {"steps": 3, "batch_size": 8, "threshold": 0.0}
ENCODER = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
ARMS = ["semisupervised", "supervised"]
WRITTEN = ("network.safetensors", "figures.json", "shares.tsv", "probabilities.tsv", "report.html")


class StopError(Exception):
    """What ends a run from outside."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    return medunsup.pretrain(
        "autoencoder", write_images(folder / "images.npz"), folder / "run", parameters=ENCODER
    )


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """Images of whom 6 a class are labelled, 12 not."""
    labels = few(np.arange(24) % 2, 6)
    return write_labelled(tmp_path_factory.mktemp("images") / "few.npz", train_labels=labels[:, None])


@pytest.fixture(scope="module")
def made(encoder, images, tmp_path_factory):
    return classified(encoder, images, tmp_path_factory.mktemp("made") / "out")


def classified(encoder, data, out, method="fixmatch", **more):
    choices = {"parameters": TINY} | more
    return medunsup.finetune(encoder.path, data, out, task="classify", few_labels=method, **choices)


def scans_of(labels, subjects=()) -> Scans:
    labels = np.asarray(labels, np.int64)
    values = draw_images(labels, np.random.default_rng(0)).astype(np.float32)[:, None, ..., None] / 255
    names = tuple(str(n) for n in range(len(labels)))
    return Scans(values, np.ones(values[:, 0].shape, bool), names, tuple(subjects), labels=labels)


class TestGiven:
    def test_labels_that_are_not_drawn_are_hidden_and_scans_stay(self):
        scans = scans_of([0, 1, 0, 1, -1])
        assert hide(scans, np.array([1, 2])).labels.tolist() == [-1, 1, 0, -1, -1]
        assert len(some_of(scans, np.array([1, 2]))) == 2

    def test_hidden_label_maps_are_gone_from_the_voxels_and_the_file_keeps_them(self, tmp_path):
        values = np.ones((3, 2, 4, 4, 1), np.float32)
        np.save(tmp_path / "v.npy", values)
        mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
        scans = Scans(mapped, np.ones((3, 4, 4, 1), bool), labels=np.zeros(3, np.int64))
        found = hide_voxels(scans, np.array([1]))
        assert [float(one[-1].max()) for one in found.values] == [-1, 1, -1]
        np.testing.assert_array_equal(found.values[:, 0], values[:, 0])
        np.testing.assert_array_equal(np.load(tmp_path / "v.npy"), values)

    def test_a_fifth_of_each_class_is_kept_to_choose_by_with_all_scans_of_a_subject(self):
        labels, subjects = [0] * 20 + [1] * 10 + [-1] * 10, [str(n // 2) for n in range(40)]
        subjects[30:35] = ["0", "2", "10", "11", "14"]  # unlabelled scans of labelled subjects
        parts = split_to_choose(scans_of(labels, subjects), seed=3)
        assert parts.validation.labels.tolist().count(0) == 4
        assert parts.validation.labels.tolist().count(1) == 2
        assert set(parts.validation.subjects).isdisjoint(parts.learned.subjects)
        assert set(parts.learned.labels.tolist()) == {-1, 0, 1}

    def test_of_a_class_with_one_subject_nobody_is_kept(self):
        scans = scans_of([0, 0, 0, 1, -1])
        assert split_to_choose(scans, seed=0).validation is None
        assert split_to_choose(scans, seed=0).learned is scans


class TestFolder:
    def test_the_network_that_is_kept_is_the_better_one_on_validation_and_says_the_same_again(self, made):
        about = made.manifest.few_labels
        figures = about["on_validation"]
        assert figures[about["kept"]] == max(figures.values())
        assert (about["labelled"], about["unlabelled"], about["validation"]) == (10, 12, 2)
        tested = np.load(made.path.parent / "tested.npy")
        rows = [line.split("\t") for line in (made.path / "probabilities.tsv").read_text().splitlines()]
        told = [[float(cell) for cell in row[4:]] for row in rows if row[3] == about["kept"]]
        scans = Scans(tested[:, None, ..., None], np.ones((*tested.shape, 1), bool))
        np.testing.assert_allclose(made.classifier.probabilities("finetuned", scans), told, atol=1e-5)

    def test_the_method_is_compared_with_the_labels_alone(self, made):
        assert list(made.figures["AUC"]) == ARMS
        assert made.manifest.verdict == made.figures["AgainstLabelsAlone"]["semisupervised"]["words"]

    def test_the_page_says_first_what_is_kept_and_why(self, made):
        page = (made.path / "report.html").read_text()
        first = page[: page.index("AUC on the test subjects")]
        assert "fixmatch, beside the labels alone" in first
        assert "balanced accuracy on 2 validation scans" in first
        assert "scratch" not in page
        assert page.index("Coverage") < page.index("Pseudo-labels")

    def test_scans_tsv_names_the_unlabelled(self, made):
        rows = [line.split("\t") for line in (made.path / "scans.tsv").read_text().splitlines()]
        assert sum(row[4] == "n/a" for row in rows) == 12


@pytest.fixture(scope="module", autouse=True)
def _tested(made, images):
    np.save(made.path.parent / "tested.npy", np.load(images)["test_images"].astype(np.float32) / 255)


def test_labels_behind_those_that_are_drawn_change_nothing(encoder, images, tmp_path):
    """Weights follow from images and given labels alone: hidden ones may be exchanged or wrong."""
    settings = FinetuneSettings(task="classify", few_labels="fixmatch", parameters=TINY)
    pretrained = read_pretrained(FinetuneRequest(settings, images, tmp_path, encoder.path))
    scans, states = scans_of(np.arange(16) % 2), []
    labels = scans.labels[6:]
    for behind in (labels, labels[::-1], 1 - labels):
        other = replace(scans, labels=np.concatenate([scans.labels[:6], behind]))
        made = Learned(settings, pretrained, 2).fit(hide(other, np.arange(6)), training=Training())
        states.append(made.state())
    for other in states[1:]:
        assert all((other[name] == states[0][name]).all() for name in states[0])


@pytest.mark.parametrize("method", ["self_training", "label_propagation", "label_spreading", "em"])
def test_methods_on_features_leave_a_network_around_the_frozen_encoder(encoder, images, tmp_path, method):
    done = classified(encoder, images, tmp_path / "out", method, parameters={})
    weights = encoder.network.state_dict()
    kept = done.classifier.learner_.network("finetuned").encoder.state_dict()
    assert all((kept[name] == weights[name]).all() for name in weights)
    assert 0 <= done.manifest.few_labels["coverage"] <= 1
    assert list(done.figures["AUC"]) == ARMS


def test_draws_hide_the_labels_of_all_others(encoder, tmp_path):
    data = write_labelled(tmp_path / "all.npz")
    done = classified(encoder, data, tmp_path / "out", "em", parameters={}, labelled=(8,))
    assert [(one["subjects"], one["draws"]) for one in done.figures["Shares"]] == [(8, 5)]
    about = done.manifest.few_labels
    assert about["labelled"] + about["validation"] == 8
    assert about["unlabelled"] == 16
    assert len(about["by_share"][0]["kept"]) == 5


def test_with_too_few_labels_to_choose_by_the_method_is_kept_unjudged(encoder, tmp_path):
    data = write_labelled(tmp_path / "two.npz", train_labels=few(np.arange(24) % 2, 1)[:, None])
    done = classified(encoder, data, tmp_path / "out", "em", parameters={})
    about = done.manifest.few_labels
    assert (about["kept"], about["validation"], about["on_validation"]) == ("semisupervised", 0, {})
    assert "could not be judged" in about["why"]
    page = (done.path / "report.html").read_text()
    assert "could not be judged" in page[: page.index("AUC on the test subjects")]


def test_more_images_without_labels_come_from_another_file(encoder, images, tmp_path):
    more = draw_images(np.arange(6) % 2, np.random.default_rng(7))
    there = np.load(images)["train_images"][:2]
    np.savez(tmp_path / "more.npz", train_images=np.concatenate([more, there]))
    done = classified(
        encoder, images, tmp_path / "out", "em", parameters={}, unlabelled=tmp_path / "more.npz"
    )
    assert done.manifest.few_labels["unlabelled"] == 12 + 6
    tested = np.load(images)["test_images"][:1]
    np.savez(tmp_path / "more.npz", train_images=np.concatenate([more, tested]))
    with pytest.raises(InputError, match="1 of 24 of the test split were seen by the unlabelled images"):
        classified(encoder, images, tmp_path / "no", "em", parameters={}, unlabelled=tmp_path / "more.npz")


def test_a_run_that_was_ended_goes_on_to_the_same(made, encoder, images, tmp_path):
    def stop(stage):
        if stage.what == "testing scans":
            raise StopError

    with pytest.raises(StopError):
        classified(encoder, images, tmp_path / "out", progress=stop)
    with pytest.raises(UsageError, match="few_labels"):
        classified(encoder, images, tmp_path / "out", "pseudo_label", resume=True, parameters={})
    done = classified(encoder, images, tmp_path / "out", resume=True)
    for name in WRITTEN:
        assert (done.path / name).read_bytes() == (made.path / name).read_bytes()


def test_a_run_that_was_ended_in_the_middle_of_learning_ends_with_the_same_weights(
    made, encoder, images, tmp_path
):
    seen = []

    def stop(stage):
        seen.append(stage)
        if "epoch" in stage.what and stage.share > 0.3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(StoppedError):
        classified(encoder, images, tmp_path / "out", progress=stop)
    assert "testing scans" not in {stage.what for stage in seen}
    done = classified(encoder, images, tmp_path / "out", resume=True)
    for name in WRITTEN:
        assert (done.path / name).read_bytes() == (made.path / name).read_bytes()


class TestRefused:
    @pytest.mark.parametrize(
        ("method", "more", "said"),
        [
            ("fixmtch", {}, "Did you mean 'fixmatch'"),
            ("simclr", {}, "is a pretraining method"),
            ("fixmatch", {"baselines": False}, "labels alone"),
            ("fixmatch", {"parameters": {"step": 1}}, "did you mean 'steps'"),
        ],
    )
    def test_a_method_that_is_none_or_wrong_choices(self, encoder, images, tmp_path, method, more, said):
        with pytest.raises(UsageError, match=said):
            classified(encoder, images, tmp_path / "out", method, **more)

    def test_a_method_of_the_other_task(self, encoder, tmp_path):
        with pytest.raises(UsageError, match=r"does not segment\. Methods that do: fixmatch, mean_teacher"):
            medunsup.finetune(encoder.path, "pairs.tsv", tmp_path / "out", few_labels="em")

    def test_unlabelled_images_without_a_method_or_none_at_all(self, encoder, images, tmp_path):
        with pytest.raises(UsageError, match="needs a method"):
            classified(encoder, images, tmp_path / "out", None, unlabelled=images, parameters={})
        data = write_labelled(tmp_path / "all.npz")
        with pytest.raises(UsageError, match="nothing is left to learn from without labels"):
            classified(encoder, data, tmp_path / "out")

    def test_no_label_at_all(self, encoder, tmp_path):
        data = write_labelled(tmp_path / "none.npz", train_labels=np.full((24, 1), -1))
        with pytest.raises(InputError, match="holds one class alone"):
            classified(encoder, data, tmp_path / "out")
