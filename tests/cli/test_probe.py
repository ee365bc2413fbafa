"""`medunsup probe` from end to end: what it prints, writes and refuses."""

import json
from pathlib import Path

import pytest
from helpers.labelled_images import write_labelled
from helpers.pretraining import write_images
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app

TINY = {"epochs": 1, "batch_size": 4, "encoder_parameters": {"channels": 2, "levels": 2}}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    data = write_images(folder / "images.npz")
    return medunsup.pretrain("autoencoder", data, folder / "run", parameters=TINY).path


def run(*words: object):
    return CliRunner().invoke(app, ["probe", *map(str, words)])


def test_a_probe_says_what_it_found_and_where_the_page_is(encoder, tmp_path):
    data, out = write_labelled(tmp_path / "l.npz"), tmp_path / "out"
    done = run(encoder, "--data", data, "--fractions", "0.25, 1", "-o", out)
    assert done.exit_code == 0, done.stderr
    first, *each = done.stdout.splitlines()
    assert first.endswith("report.html")
    assert [line.split(":")[0].strip() for line in each] == [
        "With 25 % of the labels (6)",
        "With 100 % of the labels (24)",
    ]
    assert (out / "report.html").is_file()


def test_json_holds_the_verdicts_and_all_figures(encoder, tmp_path):
    data = write_labelled(tmp_path / "l.npz")
    done = run(encoder, "--data", data, "--fractions", "1", "-o", tmp_path / "out", "--json")
    told = json.loads(done.stdout)
    assert told["verdicts"][0]["said"] in ("better", "no difference seen", "worse")
    assert {one["features"] for one in told["figures"]} == {"encoder", "random", "pca"}
    assert told["about"]["temperature"] == 0.07


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--fractions", "2"), 2, "at most 1"),
        (("--fractions", "some"), 2, "fractions"),
        (("--draws", "1"), 2, "draws: should be a whole number from 5 to 100"),
        (("--column", "diagnosis"), 2, "Leave --labels and --column out"),
        (("--data", "gone.npz"), 2, "there is no such file"),
    ],
)
def test_wrong_use_ends_in_a_line_with_a_remedy(encoder, tmp_path, words, code, said):
    data = write_labelled(tmp_path / "l.npz")
    done = run(encoder, "--data", data, "-o", tmp_path / "out", *words)
    assert done.exit_code == code, done.stderr
    assert said in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_probe_is_not_replaced_without_force(encoder, tmp_path):
    words = (
        encoder,
        "--data",
        write_labelled(tmp_path / "l.npz"),
        "--fractions",
        "1",
        "-o",
        tmp_path / "out",
    )
    assert run(*words).exit_code == 0
    again = run(*words)
    assert again.exit_code == 2
    assert "Pass --force to replace it" in again.stderr
    assert run(*words, "--force").exit_code == 0
