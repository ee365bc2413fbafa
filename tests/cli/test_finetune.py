"""`medunsup finetune` from end to end: what it prints, writes and refuses."""

import json
import shutil

import numpy as np
import pytest
from helpers.labelled_images import write_labelled
from helpers.labelled_scans import write_pairs
from helpers.pretraining import write_images
from typer.testing import CliRunner

from medunsup.cli.main import app

SMALL = ("--set", "steps=2", "--set", "batch_size=4")


def run(verb: str, *words: object):
    return CliRunner().invoke(app, [verb, *map(str, words)])


@pytest.fixture
def encoder(people, tmp_path, quick_registration):
    (tmp_path / "scans").mkdir()
    for scan in sorted(people.iterdir())[:4]:
        shutil.copy(scan, tmp_path / "scans")
    small = (
        "--set",
        "epochs=1",
        "--set",
        "batch_size=4",
        "--set",
        "encoder_parameters={channels: 2, levels: 2}",
    )
    done = run("pretrain", "--data", tmp_path / "scans", "-o", tmp_path / "encoder", "--spacing", 8, *small)
    assert done.exit_code == 0, done.stderr
    return tmp_path / "encoder"


def test_scans_with_labels_become_a_network_and_the_verdict_is_printed(encoder, small_brain, tmp_path):
    table, out = write_pairs(tmp_path / "pairs", small_brain), tmp_path / "out"
    done = run("finetune", encoder, "--task", "segment", "--data", table, "-o", out, *SMALL)
    assert done.exit_code == 0, done.stderr
    assert "Fine-tuned beside scratch: too few test subjects to tell: 3 of at least 6" in done.stdout
    assert f"page: {out / 'report.html'}" in done.stdout
    again = run("finetune", encoder, "--data", table, "-o", out, *SMALL)
    assert (again.exit_code, "Pass --force to replace it" in again.stderr) == (2, True)
    told = json.loads(
        run("finetune", encoder, "--data", table, "-o", out, *SMALL, "--force", "--json").stdout
    )
    assert told["scans"] == {"train": 5, "test": 3}
    assert set(told["figures"]["MeanDice"]) == {"finetuned", "frozen", "scratch"}


def test_images_are_classified_with_few_labels_and_with_all(tmp_path):
    data, tiny = write_labelled(tmp_path / "labelled.npz"), "encoder_parameters={channels: 2, levels: 2}"
    images = write_images(tmp_path / "images.npz")
    small = ("--set", "epochs=1", "--set", "batch_size=4", "--set", tiny)
    done = run("pretrain", "--data", images, "-o", tmp_path / "run", *small)
    assert done.exit_code == 0, done.stderr
    refused = run("finetune", tmp_path / "run", "--data", data, "-o", tmp_path / "out")
    assert (refused.exit_code, "--task classify" in refused.stderr) == (2, True)
    words = (tmp_path / "run", "--task", "classify", "--data", data, "-o", tmp_path / "out", *SMALL)
    done = run("finetune", *words, "--fractions", "0.25,1", "--labelled", "2")
    assert done.exit_code == 0, done.stderr
    for n in (24, 6, 2):
        assert f"{n} labelled: AUC fine-tuned, all layers" in done.stdout
    told = json.loads(run("finetune", *words, "--force", "--json").stdout)
    assert told["predictions"].endswith("probabilities.tsv")
    assert set(told["figures"]["AUC"]) == {"finetuned", "frozen", "scratch"}
    wrong = run("finetune", *words, "--force", "--draws", "2")
    assert (wrong.exit_code, "draws" in wrong.stderr) == (2, True)


def test_few_labels_are_learned_with_and_what_is_kept_is_printed(tmp_path):
    labels = np.where(np.arange(24) < 12, np.arange(24) % 2, -1)
    data = write_labelled(tmp_path / "labelled.npz", train_labels=labels)
    images, tiny = write_images(tmp_path / "images.npz"), "encoder_parameters={channels: 2, levels: 2}"
    small = ("--set", "epochs=1", "--set", "batch_size=4", "--set", tiny)
    done = run("pretrain", "--data", images, "-o", tmp_path / "run", *small)
    assert done.exit_code == 0, done.stderr
    words = (tmp_path / "run", "--task", "classify", "--data", data, "-o", tmp_path / "out")
    done = run("finetune", *words, "--few-labels", "em")
    assert done.exit_code == 0, done.stderr
    assert "em, beside the labels alone: " in done.stdout
    assert "balanced accuracy on 2 validation scans: em" in done.stdout
    told = json.loads(run("finetune", *words, "--few-labels", "em", "--force", "--json").stdout)
    assert told["few_labels"]["kept"] in told["figures"]["AUC"]
    wrong = run("finetune", *words, "--force", "--unlabelled", data)
    assert (wrong.exit_code, "--few-labels" in wrong.stderr) == (2, True)


def test_wrong_use_ends_in_a_line_with_a_remedy(encoder, small_brain, tmp_path):
    table = write_pairs(tmp_path / "pairs", small_brain)
    for words, said in [
        ((encoder, "--set", "step=1"), "did you mean 'steps'"),
        ((encoder, "--spacing", 2), "Fine-tune at 8 mm"),
        ((encoder, "--weights", "x.pth"), "one of the two"),
        ((), "(--weights)"),
        (("--weights", "x.pth"), "there is no such file"),
        (("nowhere",), "there is no such folder"),
    ]:
        done = run("finetune", *words, "--data", table, "-o", tmp_path / "out")
        assert done.exit_code == 2, done.stderr
        assert said in " ".join(done.stderr.split())
