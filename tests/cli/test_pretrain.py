"""`medunsup pretrain` from end to end: what it prints, writes and refuses."""

import json

import numpy as np
import pytest
from helpers.pretraining import write_images
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app

SMALL = ("--set", "epochs=1", "--set", "batch_size=4")


def run(*words: object):
    return CliRunner().invoke(app, ["pretrain", *map(str, words)])


@pytest.mark.usefixtures("quick_registration")
def test_scans_become_an_encoder_that_can_be_loaded(few, tmp_path):
    out = tmp_path / "out"
    done = run("autoencoder", "--data", few, "-o", out, "--spacing", 8, *SMALL)
    assert done.exit_code == 0, done.stderr
    assert "autoencoder of cnn in 2D, 128 features, from 7 T1w scans" in done.stdout
    assert "medunsup.Encoder.load" in done.stderr
    shape = medunsup.Encoder.load(out).folder_.manifest.preprocessing.shape
    assert medunsup.Encoder.load(out).transform(np.zeros((2, *shape))).shape == (2, 128)
    assert len(list((tmp_path / "prepared").iterdir())) == 8


def test_json_says_what_was_made(tmp_path):
    images = write_images(tmp_path / "images.npz")
    done = run("--data", images, "-o", tmp_path / "out", *SMALL, "--json")
    told = json.loads(done.stdout)
    assert told["scans"] == {"train": 12, "validation": 4}
    assert told["network"]["n_features"] == 128
    assert set(told["last"]) >= {"reconstruction", "validation"}


def test_a_yaml_file_names_method_and_parameters_and_options_win(tmp_path):
    images = write_images(tmp_path / "images.npz")
    (tmp_path / "mine.yaml").write_text("method: autoencoder\nparameters: {epochs: 2, batch_size: 4}\n")
    done = run(
        "--config", tmp_path / "mine.yaml", "--data", images, "-o", tmp_path / "out", "--set", "epochs=1"
    )
    assert done.exit_code == 0, done.stderr
    told = json.loads((tmp_path / "out" / "encoder.json").read_text())
    assert (told["Epochs"], told["Parameters"]["batch_size"]) == (1, 4)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("autoencodr",), 2, "Did you mean 'autoencoder'"),
        (("dae",), 2, "dae is a model, not a pretraining method"),
        (("--set", "epoch=1"), 2, "did you mean 'epochs'"),
        (("--set", "batch_size=40"), 2, "12 training items are fewer than a batch of 40"),
        (("--set", "dims=3"), 2, "Give --set dims=2"),
        (("--data", "nothing"), 2, "there is no such file or folder"),
        (("--data", "none.npz"), 2, "there is no such file"),
    ],
)
def test_wrong_use_ends_in_a_line_with_a_remedy(tmp_path, words, code, said):
    images = write_images(tmp_path / "images.npz")
    done = run("--data", images, "-o", tmp_path / "out", *words)
    assert done.exit_code == code
    assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "out" / "encoder.json").exists()


def test_an_encoder_is_not_replaced_without_force(tmp_path):
    images = write_images(tmp_path / "images.npz")
    words = ("--data", images, "-o", tmp_path / "out", *SMALL)
    assert run(*words).exit_code == 0
    again = run(*words)
    assert again.exit_code == 2
    assert "Pass --force to replace it" in again.stderr
    assert run(*words, "--force").exit_code == 0
