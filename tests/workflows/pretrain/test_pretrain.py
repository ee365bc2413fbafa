"""From scans or images to an encoder folder: what it holds, how it is stopped, and what is refused."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers.healthy_scans import SPACING_MM
from helpers.pretraining import write_images

import medunsup
from medunsup.cohort.encoders.folder import MANIFEST, read_encoder
from medunsup.core.errors import InputError, MissingError, OutputError, ResultThereError, UsageError
from medunsup.core.progress import Stage
from medunsup.training.signals import StoppedError

TINY = {"epochs": 2, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}

KILLED = """
import os, signal
import medunsup
from medunsup.training import loop
loop._Run._pause = lambda run, stop: run._save()  # a checkpoint after every batch
def kill(stage):
    if stage.what.startswith("epoch 2"):
        os.kill(os.getpid(), signal.SIGKILL)
medunsup.pretrain("autoencoder", {data!r}, {out!r}, parameters={parameters!r}, progress=kill)
"""


@pytest.fixture
def images(tmp_path) -> Path:
    return write_images(tmp_path / "images.npz")


def run(data, out, **more):
    parameters = TINY | more.pop("parameters", {})
    return medunsup.pretrain("autoencoder", data, out, parameters=parameters, **more)


def weights(folder: Path) -> dict[str, np.ndarray]:
    return read_encoder(folder).files.arrays("encoder.safetensors")


def is_same(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.usefixtures("quick_registration")
class TestScans:
    def test_the_folder_tells_how_scans_are_prepared_and_which_were_seen(self, few, tmp_path):
        made = run(few, tmp_path / "out", spacing_mm=SPACING_MM, validation=0.25)
        about = made.manifest
        assert about.preprocessing.kind == "scans"
        assert about.preprocessing.spacing_mm == SPACING_MM
        assert about.preprocessing.contrast == "T1w"
        assert about.scans == {"train": 6, "validation": 2}
        assert {one.subject for one in made.seen} == {f"sub-{n:02d}" for n in range(8)}
        assert len({one.sha256 for one in made.seen} | {one.prepared_sha256 for one in made.seen}) == 16
        assert not [text for text in (made.path / "scans.tsv").read_text().split() if str(few) in text]

    def test_volumes_are_learned_from_and_two_runs_are_equal(self, few, tmp_path):
        choices = {"parameters": {"dims": 3, "batch_size": 2}, "spacing_mm": SPACING_MM}
        first, second = (run(few, tmp_path / name, **choices) for name in "ab")
        assert first.manifest.network.dims == 3
        assert is_same(first.path, second.path)
        assert not is_same(first.path, run(few, tmp_path / "c", seed=1, **choices).path)

    def test_features_of_prepared_scans_are_taken_inside_the_brain(self, few, tmp_path):
        made = run(few, tmp_path / "out", spacing_mm=SPACING_MM)
        kept = [np.load(path) for path in sorted((tmp_path / "prepared").glob("*.npz"))]
        values = np.stack([one["values"] for one in kept])
        encoder = medunsup.Encoder.load(made.path)
        inside = values[:, 0] != 0
        assert np.array_equal(encoder.transform(values), encoder.transform(values, inside))
        assert not np.allclose(encoder.transform(values), encoder.transform(values, np.ones_like(inside)))
        contents = {hashlib.sha256(one.tobytes()).hexdigest() for one in values}
        assert contents == {one.prepared_sha256 for one in made.seen}

    def test_nobody_needs_to_be_healthy(self, few, tmp_path):
        rows = ["scan\tgroup", *(f"{scan}\tpatient" for scan in sorted(few.iterdir()))]
        (tmp_path / "table.tsv").write_text("\n".join(rows) + "\n")
        made = run(tmp_path / "table.tsv", tmp_path / "out", spacing_mm=SPACING_MM)
        assert made.manifest.scans["train"] == 7

    def test_label_maps_are_left_out_and_alone_refused(self, few, small_brain, tmp_path):
        from helpers import phantom

        labels = tmp_path / "labels"
        labels.mkdir()
        for n in range(3):
            phantom.save(small_brain.mask, labels / f"sub-{n}_T1w.nii.gz", dtype=np.uint8)
        with pytest.raises(InputError, match=r"holds no scan. Images left out: label map or mask \(3\)"):
            run(labels, tmp_path / "out", spacing_mm=SPACING_MM)
        (labels / "sub-0_T1w.nii.gz").rename(few / "sub-50_T1w.nii.gz")
        made = run(few, tmp_path / "out", spacing_mm=SPACING_MM)
        assert made.manifest.left_out == {"label map or mask": 1}

    def test_one_subject_alone_is_refused(self, few, tmp_path):
        for scan in sorted(few.iterdir())[1:]:
            scan.unlink()
        with pytest.raises(InputError, match="Too few subjects: 1"):
            run(few, tmp_path / "out", spacing_mm=SPACING_MM)


class TestImages:
    def test_an_encoder_of_images_is_made_and_its_curve_has_a_line_an_epoch(self, images, tmp_path):
        made = run(images, tmp_path / "out")
        assert made.manifest.preprocessing.kind == "images"
        assert made.manifest.scans == {"train": 12, "validation": 4}
        rows = list(csv.DictReader((made.path / "curve.tsv").open(), delimiter="\t"))
        assert [row["epoch"] for row in rows] == ["0", "1", "2"]
        assert rows[0]["reconstruction"] == "n/a"
        assert float(rows[2]["reconstruction"]) > 0 < float(rows[2]["feature_std"])
        assert made.files.changed() == []

    def test_validation_images_that_are_training_images_are_left_out(self, tmp_path):
        path = write_images(tmp_path / "images.npz", repeats=3)
        made = run(path, tmp_path / "out")
        assert made.manifest.scans == {"train": 12, "validation": 1}
        assert list(made.manifest.left_out.values()) == [3]
        kept = next(one for one in made.seen if one.split == "validation")
        position = int(kept.scan.removeprefix("val_images[").removesuffix("]"))
        image = np.load(path)["val_images"][position].astype(np.float32) / np.float32(255)
        assert hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() == kept.sha256

    def test_colours_are_learned_from(self, tmp_path):
        made = run(write_images(tmp_path / "images.npz", channels=3), tmp_path / "out")
        assert made.manifest.network.channels == 3

    @pytest.mark.parametrize(
        ("parameters", "said"),
        [
            ({"dims": 3}, "Images have two dimensions"),
            ({"batch_size": 13}, "12 training items are fewer than a batch of 13"),
            ({"patch": (40, 40)}, "do not fit into scans"),
            ({"patch": (8, 8, 8)}, "dims is 2"),
            ({"epoch": 3}, "did you mean 'epochs'"),
            ({"encoder": "cn"}, "Did you mean 'cnn'"),
            ({"encoder_parameters": {"channelz": 2}}, "did you mean 'channels'"),
        ],
    )
    def test_a_wrong_choice_is_refused_in_words(self, images, tmp_path, parameters, said):
        with pytest.raises(medunsup.MedunsupError, match=said):
            run(images, tmp_path / "out", parameters=parameters)
        assert not (tmp_path / "out" / MANIFEST).exists()

    def test_y_aware_goes_by_a_column_and_the_others_take_none(self, tmp_path):
        rng, path = np.random.default_rng(0), tmp_path / "aged.npz"
        images = rng.integers(0, 256, (12, 16, 16), np.uint8)
        ends = []
        for ages in (np.arange(12), np.arange(12)[::-1] % 5 * 20):
            np.savez(path, train_images=images, train_age=ages)
            choices = {"parameters": TINY, "covariates": ("age",), "force": True}
            made = medunsup.pretrain("y_aware", path, tmp_path / "out", **choices)
            ends.append(weights(made.path))
        assert any(not np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])
        with pytest.raises(UsageError, match="Name a column of numbers"):
            medunsup.pretrain("y_aware", path, tmp_path / "none")
        with pytest.raises(UsageError, match=r"takes no .covariates"):
            run(path, tmp_path / "none", covariates=("age",))

    @pytest.mark.parametrize("dims", [2, 3])
    def test_volumes_of_one_file_are_learned_from(self, tmp_path, dims):
        path, rng = tmp_path / "volumes.npz", np.random.default_rng(0)
        held = rng.integers(0, 256, (8, 12, 10, 8), np.uint8)
        np.savez(path, train_images=held)
        made = run(path, tmp_path / "out", parameters={"dims": dims})
        assert made.manifest.preprocessing.shape == (1, 12, 10, 8)
        assert medunsup.Encoder.load(made.path).transform(held[:, None]).shape == (8, made.network.n_features)

    def test_one_image_alone_is_refused(self, tmp_path):
        np.savez(tmp_path / "one.npz", train_images=np.zeros((1, 16, 16), np.uint8))
        with pytest.raises(InputError, match="one image alone"):
            run(tmp_path / "one.npz", tmp_path / "out")

    def test_sources_that_are_not_there_are_refused(self, tmp_path):
        with pytest.raises(UsageError, match="no such file or folder"):
            run(tmp_path / "nothing", tmp_path / "out")
        with pytest.raises(MissingError, match="no such file"):
            run(tmp_path / "none.npz", tmp_path / "out")


class TestStopped:
    def test_a_run_that_is_asked_to_stop_goes_on_to_equal_weights(self, images, tmp_path):
        whole = run(images, tmp_path / "whole")

        def stop(stage: Stage) -> None:
            if stage.what.startswith("epoch 2"):
                os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(StoppedError, match="resume=True"):
            run(images, tmp_path / "out", progress=stop)
        assert not (tmp_path / "out" / MANIFEST).exists()
        resumed = run(images, tmp_path / "out", resume=True)
        assert is_same(whole.path, resumed.path)
        assert resumed.manifest.sha256 == whole.manifest.sha256

    @pytest.mark.slow
    def test_a_run_that_is_killed_goes_on_to_equal_weights(self, images, tmp_path):
        whole = run(images, tmp_path / "whole")
        code = KILLED.format(data=str(images), out=str(tmp_path / "out"), parameters=TINY)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert (tmp_path / "out" / "training" / "checkpoint.bin").exists()
        assert is_same(whole.path, run(images, tmp_path / "out", resume=True).path)

    def test_an_encoder_is_replaced_by_force_alone(self, images, tmp_path):
        made = run(images, tmp_path / "out")
        before = (made.path / MANIFEST).read_bytes()
        with pytest.raises(ResultThereError, match=r"holds an encoder\. Pass force=True"):
            run(images, tmp_path / "out")
        with pytest.raises(OutputError, match="no unfinished training, but an encoder"):
            run(images, tmp_path / "out", resume=True)
        assert (made.path / MANIFEST).read_bytes() == before
        assert run(images, tmp_path / "out", force=True, seed=1).manifest.parameters["seed"] == 1

    def test_what_is_resumed_must_be_the_same(self, images, tmp_path):
        def stop(stage: Stage) -> None:
            if stage.what.startswith("epoch 2"):
                os.kill(os.getpid(), signal.SIGTERM)

        with pytest.raises(StoppedError):
            run(images, tmp_path / "out", progress=stop)
        with pytest.raises(UsageError, match=r"begun with parameters\.epochs 2, not 3"):
            run(images, tmp_path / "out", resume=True, parameters={"epochs": 3})
        write_images(images, seed=1)
        with pytest.raises(UsageError, match="begun with other scans"):
            run(images, tmp_path / "out", resume=True)


def test_the_manifest_is_json_that_says_all_parameters(images, tmp_path):
    made = run(images, tmp_path / "out")
    told = json.loads((made.path / MANIFEST).read_text())
    assert told["Parameters"]["weight_decay"] == 0.05
    assert told["Network"] == {
        "Name": "cnn",
        "Parameters": {"channels": 2, "levels": 2},
        "Dims": 2,
        "Channels": 1,
        "NFeatures": 8,
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"spacing_mm": 4.0}, "spacing_mm=4.0"),
        ({"contrast": "T1w"}, "contrast"),
        ({"brain": "stripped"}, "brain"),
        ({"mask": "{stem}_mask.nii.gz"}, "mask"),
    ],
)
def test_choices_that_images_have_no_use_for_are_refused_and_nothing_is_made(images, tmp_path, given, told):
    with pytest.raises(UsageError, match=rf"{told}.*is for scans, and images.npz holds images.*Leave it out"):
        run(images, tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()
