"""Whether a probe says what is true: informative features, permuted labels, what was seen, what misfits."""

import json

import numpy as np
import pytest
from helpers.labelled_images import draw_images, write_labelled
from helpers.pretraining import write_images

import medunsup
from medunsup.cohort.encoders.folder import Seen
from medunsup.cohort.labelled.read import Labelled
from medunsup.core.errors import InputError, MissingError, ResultThereError, UsageError
from medunsup.workflows.probe.components import Rows
from medunsup.workflows.probe.figures import measure
from medunsup.workflows.probe.settings import ProbeSettings

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}
ALL = {"fractions": (1.0,)}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    data = write_images(folder / "images.npz")
    return medunsup.pretrain("autoencoder", data, folder / "run", parameters=TINY)


def probed(encoder, data, out, **more):
    return medunsup.probe(encoder.path, data, out, **(ALL | more))


def measured(gap: dict[str, float], *, permuted: bool = False, seed: int = 0, n: int = 300):
    """Probe features of noise in which class 1 lies higher by `gap`."""
    rng = np.random.default_rng(seed)
    truth = {split: np.arange(n) % 2 for split in ("train", "test")}
    features = {}
    for name in ("encoder", "random", "pca"):
        rows = [rng.normal(size=(n, 8)) + gap[name] * truth[split][:, None] for split in ("train", "test")]
        features[name] = Rows(*rows)
    labels = {split: rng.permutation(one) if permuted else one for split, one in truth.items()}
    lines = {split: [Seen(f"{split}{k}", split, str(k), "", "") for k in range(n)] for split in truth}
    settings = ProbeSettings(fractions=(0.1, 1.0))
    return measure(features, Labelled({}, lines, labels, ("0", "1")), settings, lambda stage: None)


def test_informative_features_are_better_and_swapped_they_are_worse():
    informative = measured({"encoder": 0.8, "random": 0.1, "pca": 0.0})
    assert [one.said for one in informative.verdicts] == ["better", "better"]
    assert all(one.difference.low > 0 and one.baseline == "random" for one in informative.verdicts)
    swapped = measured({"encoder": 0.1, "random": 0.0, "pca": 0.8})
    assert [(one.said, one.baseline) for one in swapped.verdicts] == [("worse", "pca"), ("worse", "pca")]


@pytest.mark.slow
def test_permuted_labels_show_no_difference():
    found = [
        one
        for seed in range(4)
        for one in measured({"encoder": 0.8, "random": 0.1, "pca": 0.0}, permuted=True, seed=seed).verdicts
    ]
    assert [one.said for one in found].count("no difference seen") >= 7
    assert all(one.needed > one.difference.n for one in found)


def test_shares_of_the_labels_are_drawn_by_class_and_all_of_them_once():
    figures = measured({"encoder": 0.8, "random": 0.1, "pca": 0.0}).figures
    tenth, every = ([one for one in figures if one.fraction == share] for share in (0.1, 1.0))
    assert {(len(one.auc), one.n_labels) for one in tenth} == {(5, 30)}
    assert {(len(one.auc), one.n_labels) for one in every} == {(1, 300)}
    assert {one.setting for one in tenth if one.probe == "knn"} == {(7.0,) * 5}


def test_images_end_in_a_record_a_table_and_a_page(encoder, tmp_path):
    data, out = write_labelled(tmp_path / "l.npz"), tmp_path / "out"
    found = probed(encoder, data, out, fractions=(0.25, 1.0))
    assert found.counts == {"train": 24, "test": 24}
    assert found.classes == ("0", "1")
    assert len(found.figures) == 2 * 2 * 3
    assert sorted(path.name for path in out.iterdir()) == ["figures.tsv", "probe.json", "report.html"]
    told = json.loads((out / "probe.json").read_text())
    assert told["verdicts"][0]["said"] == found.verdicts[0].said
    assert len((out / "figures.tsv").read_text().splitlines()) == 1 + (5 + 1) * 2 * 3
    page = (out / "report.html").read_text()
    assert found.verdicts[1].said in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_same_call_gives_the_same_figures_and_another_seed_others(encoder, tmp_path):
    data = write_labelled(tmp_path / "l.npz")
    first, second, third = (
        probed(encoder, data, tmp_path / name, fractions=(0.25,), seed=seed)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first.as_record() == second.as_record()
    assert first.figures != third.figures


def test_the_random_network_is_the_encoders_own_before_its_training(encoder):
    from medunsup.core.registry import method
    from medunsup.selfsupervised.encode import untrained
    from medunsup.training.scan_stack import Scans

    about = encoder.manifest
    kind = method("selfsupervised", about.method)
    images = draw_images(np.arange(12) % 2, np.random.default_rng(0)) / np.float32(255)
    frozen = {**about.parameters, "learning_rate": 1e-12, "weight_decay": 0.0}
    begun = kind(kind.Config.parse(frozen)).fit(Scans.of_arrays(images)).encoder_.state_dict()
    made = untrained(
        about.network.name,
        about.network.parameters,
        dims=about.network.dims,
        channels=1,
        seed=about.parameters["seed"],
    ).state_dict()
    assert made.keys() == begun.keys()
    assert all(np.allclose(made[key], begun[key].cpu(), atol=1e-6) for key in made)


class TestSeen:
    def test_a_test_image_that_pretraining_saw_is_refused_by_name(self, encoder, tmp_path):
        seen = np.load(encoder.path.parent / "images.npz")["train_images"]
        test = draw_images(np.arange(6) % 2, np.random.default_rng(9))
        test[1] = seen[3]
        test[2] = np.clip(seen[5].astype(int) + 1, 0, 255)  # a copy that no hash finds
        data = write_labelled(
            tmp_path / "l.npz", test_images=test, test_labels=(np.arange(6) % 2).astype(np.uint8)
        )
        with pytest.raises(InputError) as refused:
            probed(encoder, data, tmp_path / "out")
        said = str(refused.value)
        assert "test_images[1] is train_images[3] (same values)" in said
        assert "test_images[2] is train_images[5] (correlation" in said
        assert "pretrain again without them" in said
        assert not (tmp_path / "out").exists()

    def test_what_is_trained_on_may_have_been_seen(self, encoder, tmp_path):
        seen = np.load(encoder.path.parent / "images.npz")["train_images"]
        labels = (np.arange(len(seen)) % 2).astype(np.uint8)
        data = write_labelled(tmp_path / "l.npz", train_images=seen, train_labels=labels)
        assert probed(encoder, data, tmp_path / "out").counts["train"] == len(seen)

    def test_a_test_image_in_the_training_split_is_refused(self, encoder, tmp_path):
        images = draw_images(np.arange(8) % 2, np.random.default_rng(9))
        labels = (np.arange(8) % 2).astype(np.uint8)
        data = write_labelled(tmp_path / "l.npz", n_train=8, test_images=images, test_labels=labels)
        arrays = dict(np.load(data))
        arrays["train_images"][0] = images[0]
        np.savez(data, **arrays)
        with pytest.raises(InputError, match="by the probe in its training split: test_images"):
            probed(encoder, data, tmp_path / "out")

    def test_an_older_folder_without_fingerprints_is_told(self, encoder, tmp_path):
        import shutil

        old = tmp_path / "old"
        shutil.copytree(encoder.path, old)
        (old / "fingerprints.safetensors").unlink()
        told = json.loads((old / "encoder.json").read_text())
        del told["SHA256"]["fingerprints.safetensors"]
        (old / "encoder.json").write_text(json.dumps(told))
        found = medunsup.probe(old, write_labelled(tmp_path / "l.npz"), tmp_path / "out", **ALL)
        assert "no fingerprints" in found.remarks[0]


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"test_images": None}, InputError, "holds no test_images"),
        ({"train_labels": None}, InputError, "holds no train_labels"),
        ({"train_labels": np.zeros(24)}, InputError, "one class alone"),
        ({"train_images": np.zeros((24, 40, 40), np.uint8)}, InputError, "differ in size"),
    ],
)
def test_images_that_cannot_be_probed_are_refused(encoder, tmp_path, changes, error, said):
    with pytest.raises(error, match=said):
        probed(encoder, write_labelled(tmp_path / "l.npz", **changes), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("shape", "said"),
    [((40, 16), "images of 16 x 16, these are 40 x 16"), ((16, 16, 3), "images of 1 channels, these have 3")],
)
def test_images_unlike_those_of_pretraining_are_refused_with_the_numbers(encoder, tmp_path, shape, said):
    images = np.random.default_rng(3).integers(0, 255, (24, *shape), np.uint8)
    data = write_labelled(tmp_path / "l.npz", train_images=images, test_images=images[::-1])
    with pytest.raises(InputError, match=said):
        probed(encoder, data, tmp_path / "out")


def test_wrong_calls_are_refused_before_anything_is_written(encoder, tmp_path):
    data, out = write_labelled(tmp_path / "l.npz"), tmp_path / "out"
    with pytest.raises(UsageError, match="images hold their labels"):
        probed(encoder, data, out, labels="labels.csv")
    with pytest.raises(UsageError, match="was pretrained on images"):
        probed(encoder, tmp_path, out, labels="labels.csv")
    with pytest.raises(UsageError, match="draws"):
        probed(encoder, data, out, draws=2)
    with pytest.raises(UsageError, match="fractions"):
        probed(encoder, data, out, fractions=(0.0,))
    with pytest.raises(MissingError, match="no such folder"):
        medunsup.probe(tmp_path / "gone", data, out)
    assert not out.exists()


def test_nothing_is_replaced_without_force(encoder, tmp_path):
    data, out = write_labelled(tmp_path / "l.npz"), tmp_path / "out"
    probed(encoder, data, out)
    before = (out / "probe.json").read_bytes()
    with pytest.raises(ResultThereError, match="holds a probe"):
        probed(encoder, data, out, seed=1)
    assert (out / "probe.json").read_bytes() == before
    probed(encoder, data, out, seed=1, force=True)
    assert (out / "probe.json").read_bytes() != before
