"""A model learns from scans of people who are known to be healthy, and says who was left out and why."""

from pathlib import Path

import numpy as np
import pytest
from helpers import phantom

from medunsup.cohort.dataset.health import HealthyWords
from medunsup.cohort.dataset.participants import people
from medunsup.cohort.training.select import left_out_words
from medunsup.core.errors import InputError, UsageError
from medunsup.workflows.train.select import find_healthy, healthy_words
from medunsup.workflows.train.settings import TrainSettings

N = 12
SETTINGS = TrainSettings(model="healthy_atlas")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Twelve people with true tissues beside their scans, under a name that says nothing."""
    root = tmp_path_factory.mktemp("people")
    anatomy = phantom.make_anatomy(spacing_mm=(6, 6, 6))
    for n in range(N):
        phantom.save(anatomy.image(seed=n), root / f"sub-{n:02d}_T1w.nii.gz")
        phantom.save(anatomy.labels, root / f"sub-{n:02d}_manual.nii.gz", dtype=np.uint8)
    return root


def with_table(folder: Path, groups: list[str]) -> Path:
    rows = [f"{n}\t{group}" for n, group in enumerate(groups)]
    (folder / "participants.tsv").write_text("\n".join(["participant_id\tgroup", *rows]) + "\n")
    return folder


@pytest.fixture
def copied(folder, tmp_path) -> Path:
    for path in folder.glob("*.nii.gz"):
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def names(found) -> set[str]:
    return {case.scan.name for cases in found.splits.values() for case in cases}


def test_label_maps_beside_the_scans_are_left_out_by_their_values_and_counted(folder):
    found = find_healthy(folder, SETTINGS)
    assert names(found) == {f"sub-{n:02d}_T1w.nii.gz" for n in range(N)}
    assert left_out_words(found.left_out) == f"Images left out: label map or mask ({N})."
    assert healthy_words(found.healthy_by).endswith(f"does not say who is healthy ({N}).")


def test_looking_for_label_maps_tells_how_far_it_is_in_one_line_of_a_log(folder):
    stages = []
    find_healthy(folder, SETTINGS, told=stages.append)
    assert [stage.detail for stage in stages] == [f"{n} of {2 * N}" for n in range(1, 2 * N + 1)]
    assert [stage.share for stage in stages] == sorted(stage.share for stage in stages)
    assert len({stage.what for stage in stages}) == 1


def test_only_those_whom_the_table_calls_healthy_are_learned_from_and_the_others_are_counted(copied, caplog):
    groups = ["control"] * 8 + ["fcd", "fcd", "n/a"]
    found = find_healthy(with_table(copied, groups), SETTINGS)
    assert names(found) == {f"sub-{n:02d}_T1w.nii.gz" for n in range(8)}
    assert found.healthy_by == {"group control": 8}
    counts = {"group fcd": 4, "group n/a": 2, "no row in participants.tsv": 2, "label map or mask": 8}
    assert found.left_out == counts
    assert found.n_patients == 4


def test_too_few_healthy_people_are_told_with_who_was_left_out(copied):
    with pytest.raises(
        InputError, match=r"Too few healthy subjects.*Images left out: group fcd \(22\), label map"
    ):
        find_healthy(with_table(copied, ["control"] + ["fcd"] * 11), SETTINGS)


def test_a_data_set_that_is_not_understood_is_learned_from_once_the_user_says_who_is_healthy(copied):
    with_table(copied, ["1"] * 8 + ["2"] * 4)
    with pytest.raises(UsageError, match=r"group \(1 8, 2 4\).*healthy=.group=WORD"):
        find_healthy(copied, SETTINGS)
    found = find_healthy(copied, SETTINGS, healthy=HealthyWords("group", ("1",)))
    assert names(found) == {f"sub-{n:02d}_T1w.nii.gz" for n in range(8)}


def test_a_table_that_calls_nobody_healthy_names_its_words_and_the_remedy(folder, tmp_path):
    listed = tmp_path / "scans.tsv"
    rows = [f"{folder}/sub-{n:02d}_T1w.nii.gz\t{'ms' if n else ''}" for n in range(N)]
    listed.write_text("\n".join(["scan\tgroup", *rows]) + "\n")
    with pytest.raises(
        InputError, match=r"Images left out: group ms \(11\), group n/a \(1\)\..*healthy=.group=WORD"
    ):
        find_healthy(listed, SETTINGS)


def test_a_folder_of_label_maps_alone_holds_no_scan(copied):
    for path in copied.glob("*_T1w.nii.gz"):
        path.unlink()
    with pytest.raises(InputError, match=rf"holds no scan\. Images left out: label map or mask \({N}\)\.$"):
        find_healthy(copied, SETTINGS)


def test_a_bids_data_set_that_names_nobodys_state_is_learned_from_with_a_word(copied, caplog):
    (copied / "dataset_description.json").write_text("{}")
    for path in list(copied.glob("*_T1w.nii.gz")):
        place = copied / path.name.partition("_")[0] / "anat" / path.name
        place.parent.mkdir(parents=True)
        path.rename(place)
    found = find_healthy(copied, SETTINGS)
    assert len(names(found)) == N
    assert "nothing in it tells patients from healthy people: all are taken as healthy" in caplog.text


def test_columns_that_are_not_understood_are_named(tmp_path, caplog):
    (tmp_path / "participants.tsv").write_text("participant_id\tage\ttumor_type\nsub-1\t30\tglioma\n")
    assert people(tmp_path, ["sub-1"])["sub-1"].state == "given"
    assert "of participant_id, age, tumor_type. If one does, name it: healthy=" in caplog.text
