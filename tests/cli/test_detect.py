"""`medunsup train`, `detect` and `models` on the command line: what is printed, and how they end."""

import json
import shutil

import pytest
from helpers.healthy_scans import QUICK, write_person
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.cli.shared.printing import shared_texts
from medunsup.cli.shared.progress import left

SETTINGS = "model: healthy_atlas\nscore: deviation\nspacing_mm: 8\nmin_cluster_mm3: 0\npostprocess: []\n"


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def run(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_train_reads_a_config_and_says_what_it_made(people, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(SETTINGS)
    out = tmp_path / "runs" / "mine"
    done = run("train", "--data", people, "-o", out, "--config", config, "--json", "-q")
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    assert facts["contrast"] == "T1w"
    assert facts["settings"]["model"] == "healthy_atlas"
    assert facts["settings"]["spacing_mm"] == QUICK["spacing_mm"]
    assert facts["model"] == str(out)
    assert facts["scans"] == {"train": 14, "calibration": 10}
    assert facts["least_p_value"] == pytest.approx(1 / 11, rel=1e-5)
    assert 0 <= facts["synthetic"]["average_precision"] <= 1
    assert facts["synthetic"]["best_baseline"] in (out / "baselines.tsv").read_text()


@pytest.mark.parametrize(("share", "told"), [(0.7, []), (0.2, ["7 calibration scans support"])])
def test_training_says_when_its_scans_support_no_verdict_at_05(people, tmp_path, share, told):
    config = tmp_path / "mine.yaml"
    config.write_text(f"{SETTINGS}calibration: {share}\n")
    done = run("train", "--data", people, "-o", tmp_path / "mine", "--config", config)
    said = [line.strip() for line in done.stderr.splitlines() if "calibration scans" in line]
    assert done.exit_code == 0, done.output
    assert [line[:27] for line in said] == told
    assert all("1/8 = 0.125 or more. For 0.05 give 19" in line for line in said)


def test_options_win_over_the_config_and_set_reaches_the_model(people, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(SETTINGS)
    out = tmp_path / "mine"
    words = ["train", "pca", "--data", people, "-o", out, "--config", config, "--score", "absolute"]
    done = run(*words, "--set", "n_components=3")
    assert done.exit_code == 0, done.output
    assert "pca with absolute, T1w" in done.stdout
    assert "average precision on synthetic lesions" in done.stdout
    assert f"medunsup detect SCAN --model {out}" in done.stderr
    kept = json.loads((out / "model.json").read_text())["Settings"]
    assert kept["parameters"] == {"n_components": 3}


def test_stages_are_told_on_stderr_one_line_each(people, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(SETTINGS)
    told = run("train", "--data", people, "-o", tmp_path / "mine", "--config", config).stderr.splitlines()
    assert told[0].startswith("looking for label maps")
    assert told[1].startswith("preparing scans")
    assert len(told) == len(set(told))
    assert "calibrating" in told
    lesions = [line for line in told if line.startswith("synthetic lesion test")]
    assert lesions[0].startswith("synthetic lesion test, method 1 of ")
    assert lesions[-1] == f"synthetic lesion test, method {len(lesions)} of {len(lesions)}"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "vea"], "Did you mean 'vae'"),
        (["train", "pca", "--set", "n_component=3"], "did you mean 'n_components'"),
        (["train", "pca", "--score", "zscroe"], "Did you mean 'zscore'"),
        (["train", "--config", "volume"], "Did you mean 'volumes'"),
        (["train", "pca", "--data", "nowhere"], "no such file or folder"),
        (["train", "pca", "--healthy", "control"], "--healthy control: name a column and the words in it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_slip_of_the_pen_is_answered_with_the_right_word(people, tmp_path, words, told):
    data = [] if "--data" in words else ["--data", people]
    done = run(*words, *data, "-o", tmp_path / "mine")
    assert done.exit_code == 2
    assert told in done.stderr


def test_detect_prints_p_value_and_findings(trained, patient, tmp_path):
    done = run("detect", patient, "--model", trained.path, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("sub-99_T1w.nii.gz: ")
    assert "whole scan: no verdict (p = 0.12)" in done.stdout
    assert " findings, " in done.stdout
    assert "support no false-positive rate" in done.stderr


def test_detect_gives_a_verdict_at_the_rate_asked_for(trained, patient, tmp_path):
    done = run("detect", patient, "--model", trained.path, "-o", tmp_path, "--alpha", "0.2", "-q", "--json")
    (scan,) = json.loads(done.stdout)["scans"]
    assert (scan["alpha"], scan["is_anomalous"], scan["status"]) == (0.2, True, "done")


def test_rate_that_cannot_be_kept_is_wrong_use(trained, patient, tmp_path):
    done = run("detect", patient, "--model", trained.path, "-o", tmp_path, "--alpha", "0.01")
    assert done.exit_code == 2
    assert "at least 99 scans" in done.stderr


def test_scan_that_is_not_there_is_wrong_use_and_a_broken_one_a_failure(trained, tmp_path):
    assert run("detect", tmp_path / "no.nii", "--model", trained.path, "-o", tmp_path).exit_code == 2
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"no scan")
    done = run("detect", broken, "--model", trained.path, "-o", tmp_path / "out")
    assert (done.exit_code, "Traceback" in done.stderr) == (1, False)


def test_folder_that_is_no_model_is_said_in_one_line(patient, tmp_path):
    done = run("detect", patient, "--model", tmp_path)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert "is no model folder" in line


def test_many_scans_are_counted_and_what_all_share_is_said_once(trained, patient, people, tmp_path):
    scans = [patient, sorted(people.iterdir())[0], tmp_path / "missing.nii.gz"]
    done = run("detect", *scans, "--model", trained.path, "-o", tmp_path)
    assert done.exit_code == 1
    told = done.stderr.splitlines()
    assert [line for line in told if line.startswith(f"[2/3] {patient.name}: done, about ")]
    (shared,) = [line for line in told if "support no false-positive rate" in line]
    assert shared.startswith("  all 2 scans: ")
    assert sum("has seen this scan" in line for line in told) == 1
    assert "2 done, 0 skipped, 1 error" in told
    assert f"All scans compared: {tmp_path / 'anomaly_group.html'}" in told
    assert len(done.stdout.splitlines()) == 2


def test_cohort_that_is_unlike_the_healthy_scans_as_a_whole_is_told_of_after_its_scans(
    trained, small_brain, tmp_path
):
    scans = [write_person(tmp_path / f"sub-{n}_T1w.nii.gz", small_brain, n, spot=True) for n in range(90, 95)]
    told = run("detect", *scans, "--model", trained.path, "-o", tmp_path / "out").stderr.splitlines()
    sentence = (
        "5 of 5 scans have p of .25 or less, where about 1 healthy one would: as a whole they are unlike"
    )
    (place,) = [place for place, line in enumerate(told) if line.startswith(sentence)]
    assert place > told.index("5 done, 0 skipped, 0 errors")
    again = run("detect", *scans, "--model", trained.path, "-o", tmp_path / "out", "--json", "-q")
    assert json.loads(again.stdout)["warnings"] == [told[place]]


def test_json_names_the_page_of_all_scans(trained, patient, people, tmp_path):
    words = ["detect", patient, sorted(people.iterdir())[0], "--model", trained.path, "-o", tmp_path]
    told = json.loads(run(*words, "--json", "-q").stdout)
    assert told["group_page"] == str(tmp_path / "anomaly_group.html")
    assert [scan["status"] for scan in told["scans"]] == ["done", "done"]


@pytest.mark.parametrize(
    ("who", "words"), [("ab", "a, b"), ("abcde", "a, b, c and 2 more"), ("abcdef", "all 6 scans")]
)
def test_warning_that_several_scans_share_names_them(who, words):
    texts = {name: ["Look."] * (name in who) for name in "abcdef"}
    assert shared_texts(texts) == {"Look.": words}


def test_models_are_listed_shown_and_verified(trained):
    assert "healthy_atlas with deviation, T1w" in run("models", "list", trained.path.parent).stdout
    assert "What it must not be used for" in run("models", "show", trained.path).stdout
    assert run("models", "verify", trained.path).stdout.endswith("file hashes match: OK\n")


def test_model_that_cannot_be_read_is_named_beside_those_that_can(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "whole")
    (shutil.copytree(trained.path, tmp_path / "cut") / "model.json").write_text("{")
    done = run("models", "list", tmp_path)
    assert done.exit_code == 0, done.output
    readable = [line for line in done.stdout.splitlines() if "(bundled)" not in line]
    assert [line.split(": ")[0] for line in readable] == [str(tmp_path / "whole")]
    assert "cut/model.json: cannot be read" in done.stderr


def test_changed_model_ends_with_an_error_code(trained, tmp_path):

    copy = shutil.copytree(trained.path, tmp_path / "copy")
    (copy / "baselines.tsv").write_text("")
    done = run("models", "verify", copy)
    assert done.exit_code == 1
    assert "changed: baselines.tsv" in done.stdout
    assert "NOT what was trained. Copy the folder again, or train again." in done.stdout


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.2, "about 1 s left"), (240, "about 4 min left"), (7200, "about 2.0 h left")],
)
def test_time_left_is_told_in_round_numbers(seconds, words):
    assert left(seconds) == words


@pytest.mark.slow
def test_without_a_model_one_that_comes_along_is_taken_and_named(make_scan, tmp_path):
    from medunsup.workflows.train.shipped import DEFAULT

    done = run("detect", make_scan("sub-01_T1w.nii.gz"), "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert f"No --model was given. The model is {DEFAULT}" in done.stderr
    assert f"models show {DEFAULT}" in done.stderr
    assert "one scanner" in done.stderr
    named = run("detect", make_scan("sub-01_T1w.nii.gz"), "-o", tmp_path / "out", "--model", DEFAULT)
    assert "No --model" not in named.stderr
    assert "done already" in named.stdout


def test_models_that_come_along_are_listed_shown_and_named_when_missing(tmp_path):
    from medunsup.workflows.train.shipped import DEFAULT

    listed = run("models", "list", tmp_path)
    assert f"{DEFAULT} (bundled): " in listed.stdout
    facts = json.loads(run("models", "list", tmp_path, "--json").stdout)["models"]
    assert DEFAULT in [fact["folder"].rsplit("/", 1)[-1] for fact in facts if fact["comes_along"]]
    assert "What it must not be used for" in run("models", "show", DEFAULT).stdout
    missing = run("models", "show", "t1w")
    assert missing.exit_code == 2
    assert DEFAULT in missing.stderr
