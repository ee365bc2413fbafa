"""A training that is stopped at any moment goes on with --resume to the same model."""

import pytest
from helpers.healthy_scans import QUICK, train_atlas

from medunsup.core.errors import InputError, OutputError, UsageError
from medunsup.core.progress import Stage
from medunsup.workflows.train.model_folder import MANIFEST
from medunsup.workflows.train.train import train

SMALL_AE = {"epochs": 2, "channels": 4, "batch_size": 16}
AFTER = ("learning the score", "calibrating", "learning the baselines", "gathering", "synthetic lesion test")


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def stop_at(what: str):
    """Interrupt a training as soon as it tells of a stage."""

    def told(stage: Stage) -> None:
        if stage.what.startswith(what):
            raise KeyboardInterrupt

    return told


def broken_at(what: str, training, *words, **more) -> None:
    with pytest.raises(KeyboardInterrupt):
        training(*words, progress=stop_at(what), **more)


@pytest.mark.parametrize("what", ["preparing scans", "learning the baselines", "synthetic lesion test"])
@pytest.mark.slow
def test_model_without_checkpoints_begins_anew_and_says_so(few, tmp_path, caplog, what):
    whole = train_atlas(few, tmp_path / "whole")
    broken_at(what, train_atlas, few, tmp_path / "broken")
    resumed = train_atlas(few, tmp_path / "broken", resume=True)
    assert resumed.facts["SHA256"] == whole.facts["SHA256"]
    assert [
        text
        for text in caplog.messages
        if "stopped before any checkpoint; begins anew, with the same seed" in text
    ]


@pytest.mark.slow
def test_network_learned_to_the_end_is_not_learned_again(few, tmp_path, caplog):
    choices = {"parameters": SMALL_AE, **QUICK}
    whole = train("ae", few, tmp_path / "whole", **choices)
    for what in AFTER:
        broken_at(what, train, "ae", few, tmp_path / "broken", resume=what != AFTER[0], **choices)
    heard = []
    resumed = train("ae", few, tmp_path / "broken", resume=True, progress=heard.append, **choices)
    assert resumed.facts["SHA256"] == whole.facts["SHA256"]
    assert not [stage for stage in heard if stage.what.startswith("epoch")]
    assert not caplog.messages


@pytest.mark.slow
def test_network_stopped_before_its_first_checkpoint_begins_anew(few, tmp_path):
    choices = {"parameters": SMALL_AE, **QUICK}
    whole = train("ae", few, tmp_path / "whole", **choices)
    broken_at("learning", train, "ae", few, tmp_path / "broken", **choices)
    resumed = train("ae", few, tmp_path / "broken", resume=True, **choices)
    assert resumed.facts["SHA256"] == whole.facts["SHA256"]


def test_training_stopped_before_a_checkpoint_is_not_resumed_with_other_choices(few, tmp_path):
    broken_at("preparing", train_atlas, few, tmp_path / "broken")
    with pytest.raises(UsageError, match=r"begun with seed 0, not 1\. Resume it with the same"):
        train_atlas(few, tmp_path / "broken", resume=True, seed=1)


def test_training_stopped_before_it_wrote_anything_is_resumed_and_the_user_hears_so(few, tmp_path, caplog):
    assert train_atlas(few, tmp_path / "model", resume=True).contrast == "T1w"
    assert [text for text in caplog.messages if "holds no training to go on with; begins anew" in text]


def test_finished_model_is_never_made_anew_by_resuming(few, tmp_path):
    made = train_atlas(few, tmp_path / "model")
    before = (made.path / MANIFEST).read_bytes()
    with pytest.raises(OutputError, match="holds no unfinished training"):
        train_atlas(few, tmp_path / "model", resume=True)
    assert (made.path / MANIFEST).read_bytes() == before


@pytest.mark.slow
def test_replacing_a_model_goes_on_after_a_stop_and_leaves_it_whole_until_then(few, tmp_path):
    made = train_atlas(few, tmp_path / "model")
    broken_at("synthetic", train_atlas, few, tmp_path / "model", seed=1, force=True)
    assert made.healthy.calibration.n == 3
    assert train_atlas(few, tmp_path / "model", seed=1, resume=True).settings.seed == 1


def test_files_of_the_users_own_are_not_replaced_by_a_model(few, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    for resume in (False, True):
        with pytest.raises(OutputError, match=r"README\.md: is there already and not ours"):
            train_atlas(few, tmp_path, resume=resume)
    assert (tmp_path / "README.md").read_text() == "mine"
    assert not (tmp_path / "training").exists()


def test_training_that_could_not_begin_leaves_nothing_to_resume(few, tmp_path):
    (few / "sub-66_T1w.nii.gz").write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match="sub-66"):
        train_atlas(few, tmp_path / "model")
    (few / "sub-66_T1w.nii.gz").unlink()
    assert train_atlas(few, tmp_path / "model", resume=True).contrast == "T1w"
