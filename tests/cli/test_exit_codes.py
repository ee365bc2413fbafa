"""How a run ends follows from what became of its scans."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from typer.testing import CliRunner

from medunsup.cli.main import app
from medunsup.cli.shared.printing import exit_code
from medunsup.cohort.batch import CohortResult, Outcome
from medunsup.workflows.segment.outcome import ScanOutcome


def judged(*verdicts):
    return CohortResult(tuple(ScanOutcome(Path(word), "done", verdict=word) for word in verdicts))


@pytest.mark.parametrize(
    ("verdicts", "fail_on", "code"),
    [
        (("pass", "partial", "check", "fail"), None, 0),
        (("pass", "partial", "check"), "fail", 0),
        (("pass", "fail"), "fail", 3),
        (("pass", "partial"), "check", 0),
        (("pass", "check"), "check", 3),
        (("pass", "fail"), "check", 3),
    ],
)
def test_a_verdict_ends_the_run_in_3_only_where_that_was_asked_for(verdicts, fail_on, code):
    assert exit_code(judged(*verdicts), fail_on) == code


def test_a_scan_in_error_weighs_more_than_any_verdict():
    scans = (*judged("fail").scans, ScanOutcome(Path("x"), "error", error="x: broken"))
    assert exit_code(CohortResult(scans), "fail") == 1
    wrong = (Outcome(Path("x"), "error", error="x: no series 9", is_wrong_use=True),)
    assert exit_code(CohortResult(wrong), None) == 2


BUNDLED = "t1w_2mm_atlas"
TUNE = "finetune encoder --data scans.tsv -o out"
WRONG = [
    "--maks",
    "nonsense",
    "segment",
    "segment scan.nii.gz --maks x",
    "segment scan.nii.gz --jobs many",
    "segment gone.nii.gz",
    "segment scan.nii.gz --mask gone.nii.gz",
    "segment scan.nii.gz --with T2w=gone.nii.gz",
    "segment scan.nii.gz --config gone.yaml",
    "segment scan.nii.gz --config junk.yaml",
    "bids",
    "bids gone out participant",
    "bids junk.tsv out participant",
    "bids empty gone group",
    "train -o model",
    "train --data gone.tsv -o model",
    "train --data junk.tsv -o model",
    "train --data names_gone.tsv -o model",
    "train --data names_gone.tsv -o model --card gone.md",
    "detect --alfa 1",
    "detect gone.nii.gz",
    "detect scan.nii.gz --model gone",
    "evaluate --cases names_gone.tsv",
    f"evaluate --model {BUNDLED} --cases gone.tsv -o out",
    f"evaluate --model {BUNDLED} --cases junk.tsv -o out",
    f"evaluate --model {BUNDLED} --cases names_gone.tsv -o out",
    f"evaluate --model {BUNDLED} --cases names_gone.tsv -o out --lesion-shapes gone",
    "evaluate --model gone --cases names_gone.tsv -o out",
    "pretrain --data gone -o out",
    "export gone --to monai -o out",
    "finetune gone --data names_gone.tsv -o out",
    "finetune gone --data names_gone.tsv -o out --fractions a",
    "finetune gone --data names_gone.tsv -o out --fractions 0,2",
    "finetune gone --data names_gone.tsv -o out --labelled x",
    "finetune gone --data names_gone.tsv -o out --draws z",
    "probe gone --data names_gone.tsv -o out",
    "probe empty -o out",
    "attention gone scan.nii.gz -o out",
    "predict gone scan.nii.gz -o out",
    "embed gone -o features.tsv",
    "reduce gone.tsv -o out",
    "reduce text.nii.gz -o out",
    "cluster gone.tsv -o out",
    "cluster text.nii.gz -o out",
    "cluster patches gone.nii.gz -o out",
    "cluster patches scan.nii.gz",
    "attention empty",
    "embed gone -o features.csv",
    "embed empty -o features.xlsx",
    "embed empty -o features.csv --features bones",
    "send gone --to 127.0.0.1:1",
    "send scan.nii.gz",
    "send scan.nii.gz --to nowhere",
    "watch --folder gone -o out --once",
    "watch --folder empty -o out --once --run detect --model gone",
    "models nonsense",
    "models list gone",
    "models show gone",
    "models verify gone",
    "methods bones",
    "doctor --nonsense",
    "status gone",
    "status text.nii.gz",
    "segment scan.nii.gz --executor slum",
    "segment scan.nii.gz --executor dask --time 10",
    "segment scan.nii.gz --executor slurm --time soon -o out",
    "detect scan.nii.gz --executor slurm --workers tcp://x:1",
    "demo nonsense",
]
FAILING = [
    "segment text.nii.gz",
    "segment empty -o out",
    "segment scan.nii.gz gone.nii.gz --dry-run",
    "segment scan.nii.gz --dry-run --mask text.nii.gz",
    "segment scan.nii.gz --dry-run --with T2w=text.nii.gz",
    "bids empty empty group",
    "train --data empty -o model",
    "detect text.nii.gz",
    "detect scan.nii.gz --model empty",
    f"evaluate --model {BUNDLED} --cases empty -o out",
    f"evaluate --model {BUNDLED} --cases names_gone.tsv -o out --lesion-shapes empty",
    "probe empty --data names_gone.tsv -o out",
    "probe text.nii.gz --data names_gone.tsv -o out",
    "finetune empty --data names_gone.tsv -o out",
    "finetune text.nii.gz --data names_gone.tsv -o out",
    "export empty --to monai -o out",
    "export text.nii.gz --to bundle -o out",
    "attention text.nii.gz scan.nii.gz -o out",
    "predict text.nii.gz scan.nii.gz -o out",
    "reduce names_gone.tsv --model empty -o out",
    "reduce names_gone.tsv --model text.nii.gz -o out",
    "embed scan.nii.gz -o features.csv --encoder text.nii.gz",
    "train feature_ae --data names_gone.tsv -o model --encoder text.nii.gz",
    "detect scan.nii.gz --model text.nii.gz",
    "attention empty scan.nii.gz -o out",
    "predict empty scan.nii.gz -o out",
    "embed empty -o features.tsv",
    "embed empty -o features.csv",
    "models show empty",
    "models verify empty",
    "send empty --to 127.0.0.1:1",
    "send text.nii.gz --to 127.0.0.1:1",
]


@pytest.mark.usefixtures("files_of_all_kinds")
@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_command_and_a_path_that_is_not_there_end_in_2(words):
    check_ending(words, 2)


@pytest.mark.usefixtures("files_of_all_kinds")
@pytest.mark.parametrize("words", FAILING)
def test_what_is_there_and_cannot_be_used_ends_in_1(words):
    check_ending(words, 1)


def check_ending(words, code):
    """See that a command ends with a code, and says why as JSON exactly where that was asked for."""
    asked = CliRunner().invoke(app, [*words.split(), "--json"])
    told = json.loads(asked.stdout)
    assert asked.exit_code == told["exit_code"] == code
    assert told.get("error") or any(scan.get("error") or scan.get("why") for scan in told["scans"])
    plain = CliRunner().invoke(app, words.split())
    assert plain.exit_code == code
    assert '"exit_code"' not in plain.stdout


def test_a_file_called_json_does_not_ask_for_json():
    assert not CliRunner().invoke(app, ["segment", "--", "--json"]).stdout


def test_asking_for_help_is_no_error_with_json():
    done = CliRunner().invoke(app, ["segment", "--help", "--json"])
    assert done.exit_code == 0
    assert "error" not in done.stdout.split("Usage")[0]


def test_every_verb_is_among_those_whose_endings_are_checked():
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands}
    verbs |= {group.name for group in app.registered_groups}
    missing = {verb for verb in verbs if not any(words.startswith(f"{verb} ") for words in WRONG)}
    assert not missing


@pytest.fixture
def files_of_all_kinds(tmp_path, monkeypatch):
    """Stand in a folder with a scan, text in place of a scan, an empty folder and tables of several kinds."""
    monkeypatch.chdir(tmp_path)
    values = np.random.default_rng(0).normal(100, 20, (12, 12, 12)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([12.0, 12.0, 12.0, 1.0])), "scan.nii.gz")
    Path("text.nii.gz").write_text("no image")
    Path("empty").mkdir()
    for name in ("junk.tsv", "junk.yaml"):
        Path(name).write_bytes(bytes(range(128, 256)))
    Path("names_gone.tsv").write_text("scan\tlesions\ngone.nii.gz\t\n")


@pytest.mark.parametrize("verb", ["segment", "detect"])
@pytest.mark.parametrize("out", [[], ["-o", "out"]])
def test_a_folder_without_any_file_is_an_error_of_the_scan_with_and_without_o(
    verb, out, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("nothing", "deeper").mkdir(parents=True)
    found = CliRunner().invoke(app, [verb, "nothing", *out])
    assert found.exit_code == 1
    assert "nothing: no scan found: it holds no file" in found.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("segment scan.nii.gz --with second.nii.gz", "--with second.nii.gz: write FLAIR=second.nii.gz."),
        ("segment scan.nii.gz --with a_T2w.nii.gz", "write T2w=a_T2w.nii.gz."),
        ("segment scan.nii.gz --with T2w=", "write T2w=second.nii.gz."),
        ("segment scan.nii.gz --set tolerance", "--set tolerance: write KEY=VALUE."),
        ("bids . out teams", "'teams' is not one of"),
        (
            f"{TUNE} --fractions a",
            "--fractions a: 'a' is no number. Give numbers parted by commas: --fractions",
        ),
        (f"{TUNE} --labelled 1.5", "--labelled 1.5: '1.5' is no whole number"),
        (f"{TUNE} --fractions 0,2", "fractions: should be shares above 0 and at most 1"),
        (
            f"{TUNE} --labelled 1,x",
            "--labelled 1,x: 'x' is no whole number. Give whole numbers parted by commas",
        ),
        (f"{TUNE} --labelled 0", "labelled: should be numbers of subjects, 1 or more"),
        (f"{TUNE} --draws z", "'--draws': Give a whole number."),
        (f"{TUNE} --draws 2", "draws: should be a whole number from 5 to 100, got 2"),
    ],
)
def test_a_wrong_word_is_told_as_it_would_be_right(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nibabel.Nifti1Image(np.ones((8, 8, 8), np.float32), np.eye(4)).to_filename("scan.nii.gz")
    found = CliRunner().invoke(app, words.split())
    assert found.exit_code == 2
    assert said in found.stderr
    assert "Value error" not in found.stderr
