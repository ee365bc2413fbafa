"""Whatever a folder holds and however a training is asked for, nothing is lost; refusals have a remedy."""

import json
from itertools import product
from pathlib import Path

import pytest

from medunsup.cohort.training.folder import ACTIONS, ASKED, CHECKPOINT, TrainingFolder, asked_for
from medunsup.core.errors import OutputError, ResultThereError, UsageError
from medunsup.workflows.train.model_folder import MANIFEST
from medunsup.workflows.train.settings import TrainSettings

NOW = asked_for(TrainSettings(), ["a", "b"])
OTHER = asked_for(TrainSettings(seed=1), ["a", "b"])
WAYS = ("plain", "resume", "force")


def folder_with(out, *, model: bool, training: str, asked: object = NOW) -> None:
    """Put into a folder what a training leaves that came so far."""
    checkpoints = TrainingFolder(out).checkpoints
    checkpoints.mkdir()
    if model:
        (out / MANIFEST).write_text("{}")
    if training != "none":
        (checkpoints / ASKED).write_text(asked if isinstance(asked, str) else json.dumps(asked))
    if training == "stopped":
        (checkpoints / CHECKPOINT).write_bytes(b"weights")


def files(out) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def test_the_table_knows_every_state_and_every_way_to_ask():
    assert set(ACTIONS) == set(product((False, True), ("none", "begun", "stopped")))
    assert all(set(actions) == set(WAYS) for actions in ACTIONS.values())


@pytest.mark.parametrize("state", ACTIONS)
def test_what_is_there_is_told_from_the_files(tmp_path, state):
    folder_with(tmp_path, model=state[0], training=state[1])
    assert TrainingFolder(tmp_path).state == state


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("model", "training"), ACTIONS)
def test_nothing_worth_keeping_is_touched_unless_it_may_be_replaced(tmp_path, model, training, how, caplog):
    folder_with(tmp_path, model=model, training=training)
    before = files(tmp_path)
    is_kept = how == "plain" and (model or training == "stopped")
    if is_kept or (how == "resume" and model and training == "none"):
        with pytest.raises(OutputError, match="force=True"):
            TrainingFolder(tmp_path, how).open(NOW)
        assert files(tmp_path) == before
        return
    goes_on = TrainingFolder(tmp_path, how).open(NOW)
    assert goes_on == (how == "resume" and training == "stopped")
    after = files(tmp_path)
    assert after.get(MANIFEST) == before.get(MANIFEST)  # a model stays until the new one is whole
    assert (f"training/{CHECKPOINT}" in after) == goes_on
    assert json.loads(after[f"training/{ASKED}"]) == NOW
    assert bool(caplog.messages) == (how == "resume" and not goes_on)


@pytest.mark.parametrize("training", ["begun", "stopped"])
@pytest.mark.parametrize("model", [False, True])
@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        (OTHER, UsageError, "begun with seed 1, not 0"),
        ({**NOW, "Scans": ["a"]}, UsageError, "begun with other scans"),
        ("{", OutputError, "cannot be read"),
        ("[]", OutputError, "cannot be read"),
        ('{"Settings": []}', OutputError, "cannot be read"),
        ('{"Settings": {"parameters": [1]}}', OutputError, "cannot be read"),
    ],
)
def test_another_training_is_not_resumed(tmp_path, training, model, asked, error, words):
    folder_with(tmp_path, model=model, training=training, asked=asked)
    before = files(tmp_path)
    with pytest.raises(error, match=words):
        TrainingFolder(tmp_path, "resume").open(NOW)
    assert files(tmp_path) == before
    if not model and training == "begun":
        assert not TrainingFolder(tmp_path, "plain").open(NOW)


def test_a_checkpoint_of_which_nobody_knows_what_was_asked_is_not_resumed(tmp_path):
    folder_with(tmp_path, model=False, training="stopped")
    (tmp_path / "training" / ASKED).unlink()
    with pytest.raises(OutputError, match="cannot be read"):
        TrainingFolder(tmp_path, "resume").open(NOW)


def test_only_what_may_be_replaced_by_force_is_refused_as_a_result(tmp_path):
    folder_with(tmp_path, model=True, training="none")
    with pytest.raises(ResultThereError, match="holds a model"):
        TrainingFolder(tmp_path).open(NOW)
    with pytest.raises(OutputError, match="holds no unfinished training") as refused:
        TrainingFolder(tmp_path, "resume").open(NOW)
    assert not isinstance(refused.value, ResultThereError)


@pytest.mark.parametrize("training", ["begun", "stopped"])
def test_a_preparation_that_failed_costs_no_checkpoint(tmp_path, training):
    folder_with(tmp_path, model=False, training=training)
    TrainingFolder(tmp_path).forget()
    assert TrainingFolder(tmp_path).state == (False, "stopped" if training == "stopped" else "none")


@pytest.mark.parametrize("n_removed", [0, 1])
def test_a_kill_while_a_finished_training_is_cleared_leaves_what_can_be_resumed(
    tmp_path, monkeypatch, n_removed
):
    folder_with(tmp_path, model=True, training="stopped")
    plain, removed = Path.unlink, []

    def killed(path, **more):
        if len(removed) == n_removed:
            raise KeyboardInterrupt
        removed.append(path)
        plain(path, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        with pytest.raises(KeyboardInterrupt):
            TrainingFolder(tmp_path).finish()
    assert TrainingFolder(tmp_path, "resume").open(NOW) == (n_removed == 0)
    assert (tmp_path / MANIFEST).exists()


def test_a_finished_training_leaves_the_log_alone(tmp_path):
    folder_with(tmp_path, model=True, training="stopped")
    (tmp_path / "training" / "log.jsonl").write_text("")
    TrainingFolder(tmp_path).finish()
    assert TrainingFolder(tmp_path).state == (True, "none")
    assert [path.name for path in (tmp_path / "training").iterdir()] == ["log.jsonl"]
    (tmp_path / "training" / "log.jsonl").unlink()
    TrainingFolder(tmp_path).finish()
    assert not (tmp_path / "training").exists()
