"""From a folder of healthy people to a model folder: whole or not at all, and never from the wrong scans."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers import phantom
from helpers.healthy_scans import N_PEOPLE, QUICK, SPACING_MM, train_atlas, write_person

from medunsup.cohort.dataset.sources import read_source
from medunsup.cohort.executors.processes import Processes
from medunsup.cohort.prepare_many import prepare_all, prepared
from medunsup.core.errors import InputError, OutputError, StepError, UsageError
from medunsup.io.files.artifact_folder import arrays_as_bytes
from medunsup.io.files.hashes import hash_file
from medunsup.workflows.train import fit
from medunsup.workflows.train.model_card import described
from medunsup.workflows.train.model_folder import (
    BASELINE_ARRAYS,
    MANIFEST,
    WEIGHTS,
    read_model,
)
from medunsup.workflows.train.settings import TrainSettings
from medunsup.workflows.train.summary import trained_facts
from medunsup.workflows.train.train import train
from medunsup.workflows.train.verify import find_models, verify

SMALL_AE = {"epochs": 3, "channels": 4, "batch_size": 16}


@pytest.fixture(autouse=True)
def _quick(quick_registration: None) -> None:
    """No scan is registered."""


def alter_weights(model: Path) -> None:
    """Double a learned mean, in a file that can be read."""
    arrays = read_model(model).arrays
    (model / WEIGHTS).write_bytes(arrays_as_bytes({**arrays, "model/mean": 2 * arrays["model/mean"]}))


def break_off(monkeypatch: pytest.MonkeyPatch, training: Callable[[], object]) -> None:
    """End a training from outside once the networks are trained."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(fit, "baseline_scores", stop)
        with pytest.raises(KeyboardInterrupt):
            training()


def test_card_and_facts_say_who_counts_as_healthy_and_that_nobody_was_left_out(trained):
    card = (trained.path / "README.md").read_text()
    assert f"Taken as healthy: as given, for the source does not say who is healthy ({N_PEOPLE})." in card
    assert trained_facts(trained)["left_out"] == {}
    assert sum(trained_facts(trained)["healthy_by"].values()) == N_PEOPLE


def test_model_folder_has_all_its_files_and_says_what_they_hash_to(trained):
    names = {path.name for path in trained.path.iterdir()}
    assert {MANIFEST, WEIGHTS, "scans.tsv", "baselines.tsv", "baselines.safetensors", "README.md"} <= names
    assert not [name for name in names if name.startswith(".")]
    for name, value in trained.facts["SHA256"].items():
        assert hash_file(trained.path / name) == value


def test_a_model_that_is_no_network_leaves_no_folder_for_training(trained):
    assert not (trained.path / "training").exists()


def test_scans_are_listed_by_split_and_hash_without_their_folders(trained, people):
    text = (trained.path / "scans.tsv").read_text()
    assert str(people) not in text
    splits = list(trained.hashes.values())
    assert (len(splits), splits.count("calibration"), splits.count("validation")) == (N_PEOPLE, 7, 0)
    assert hash_file(people / "sub-00_T1w.nii.gz") in trained.hashes


def test_calibration_takes_one_scan_of_each_person(few, tmp_path):
    scans = sorted(path.name for path in few.iterdir())
    parts = ["train"] * 4 + ["validation"] + ["calibration"] * 3
    rows = [
        f"{scan}\t{'twice' if n > 5 else n}\t{part}"
        for n, (scan, part) in enumerate(zip(scans, parts, strict=True))
    ]
    (few / "people.tsv").write_text("\n".join(["scan\tsubject\tsplit", *rows]) + "\n")
    made = train_atlas(few / "people.tsv", tmp_path / "model")
    assert made.healthy.calibration.n == 2
    assert list(made.hashes.values()).count("calibration") == 2
    assert made.facts["RepeatedCalibrationScansLeftOut"] == 1


def test_model_card_says_what_it_knows_and_what_it_must_not_be_used_for(trained):
    text = (trained.path / "README.md").read_text()
    assert f"learned from {N_PEOPLE} healthy T1w scans" in text
    assert "smallest p-value it can give a scan is 0.125" in text
    assert "- Diagnosis." in text
    assert "No data card was given" in text


def test_data_card_is_kept_beside_the_model(few, tmp_path):
    card = tmp_path / "people.md"
    card.write_text("# Made-up people\n")
    made = train_atlas(few, tmp_path / "model", card=card)
    assert (made.path / "data_card.md").read_text() == card.read_text()
    assert "described in the [data card](data_card.md).\n" in (made.path / "README.md").read_text()


def test_model_card_quotes_the_fields_of_a_data_card(repository):
    for name, words in {
        "openneuro_ds002748": "ages 19 to 55 years; licence CC0.",
        "brats_2013": "ages not stated; licence CC BY-NC-SA 3.0.",
    }.items():
        told = described((repository / "data_cards" / f"{name}.md").read_text("utf-8"))
        assert "[data card](data_card.md): name " in told
        assert told.endswith(words)
    assert described("---\n: [\n---\n").endswith("(data_card.md).")
    assert "No data card was given" in described(None)


def test_data_card_that_is_not_there_is_told_before_anything_is_read(tmp_path):
    with pytest.raises(UsageError, match=r"none\.md: cannot be read as a data card"):
        train_atlas(tmp_path / "not there", tmp_path / "model", card=tmp_path / "none.md")


def test_sound_model_verifies_and_is_listed(trained):
    found = verify(trained.path)
    assert found.is_sound
    assert set(found.figures) == {"ScanScore", "MapMean"}
    assert [model.path.name for model in find_models(trained.path.parent)[0]] == ["atlas"]


def test_changed_file_and_changed_weights_are_found(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    (copy / "scans.tsv").write_text("subject\tsplit\tscan\tsha256\tsite\n")
    assert verify(copy).changed == ("scans.tsv",)
    alter_weights(copy)
    found = verify(copy)
    assert (found.changed, found.figures) == ((WEIGHTS, "scans.tsv"), {})
    assert not found.is_sound


def test_weights_that_fit_their_hash_but_not_the_stored_figures_are_found(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    alter_weights(copy)
    facts = json.loads((copy / MANIFEST).read_text())
    facts["SHA256"][WEIGHTS] = hash_file(copy / WEIGHTS)
    (copy / MANIFEST).write_text(json.dumps(facts))
    found = verify(copy)
    assert (found.changed, found.is_sound) == ((), False)
    assert "MapMean" in found.differing


def test_nothing_is_looked_for_with_weights_or_baselines_that_changed(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    alter_weights(copy)
    with pytest.raises(InputError, match=r"weights\.safetensors: is not what training wrote"):
        read_model(copy).healthy  # noqa: B018
    shutil.copy(copy / WEIGHTS, copy / BASELINE_ARRAYS)
    with pytest.raises(InputError, match=r"baselines\.safetensors: is not what training wrote"):
        read_model(copy).baselines  # noqa: B018


def test_cut_weights_are_refused_in_words(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    content = (copy / WEIGHTS).read_bytes()
    (copy / WEIGHTS).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="damaged or cut short"):
        read_model(copy).healthy  # noqa: B018


def test_model_of_another_format_names_the_version_that_wrote_it(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    facts = json.loads((copy / MANIFEST).read_text()) | {"Format": 99, "Version": "9.9"}
    (copy / MANIFEST).write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"format 99 by medunsup 9\.9"):
        read_model(copy)


def test_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is no model folder \(model\.json is missing\)"):
        read_model(tmp_path)
    with pytest.raises(UsageError, match="nowhere: there is no such folder"):
        read_model(tmp_path / "nowhere")


def test_weights_of_another_shape_do_not_fit(trained, tmp_path):
    copy = shutil.copytree(trained.path, tmp_path / "copy")
    facts = json.loads((copy / MANIFEST).read_text())
    facts["Settings"]["model"] = "pca"
    facts["Settings"]["score"] = "absolute"
    (copy / MANIFEST).write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"do not fit the settings"):
        read_model(copy).healthy  # noqa: B018


def test_second_training_into_one_folder_is_refused_without_force(few, tmp_path):
    train_atlas(few, tmp_path / "model")
    with pytest.raises(OutputError, match=r"holds a model\. Pass force=True"):
        train_atlas(few, tmp_path / "model")
    assert train_atlas(few, tmp_path / "model", force=True).contrast == "T1w"


def test_same_seed_gives_the_same_weights(few, tmp_path):
    first, second = (train_atlas(few, tmp_path / name, cache=tmp_path / "c") for name in "ab")
    assert first.facts["SHA256"] == second.facts["SHA256"]


@pytest.mark.slow
def test_several_processes_prepare_what_one_does(few, tmp_path, monkeypatch):
    monkeypatch.undo()  # what is patched here is not patched in other processes
    cases = read_source(few)[:2]
    settings = TrainSettings(spacing_mm=SPACING_MM)
    alone, together = tmp_path / "alone", tmp_path / "together"
    heard = []
    traits = prepare_all(
        cases, settings, together, executor=Processes(2), progress=lambda *of: heard.append(of)
    )
    assert heard == [(1, 2), (2, 2)]
    assert [one.content for one in traits] == [prepared(case, settings, alone).content for case in cases]
    for case in cases:
        one, other = (prepared(case, settings, cache) for cache in (alone, together))
        np.testing.assert_array_equal(one.values, other.values)
        assert one.as_record() == other.as_record()


def test_scan_of_another_contrast_is_named(few, tmp_path, small_brain):
    write_person(few / "sub-88_T2w.nii.gz", small_brain, 88, contrast="T2w")
    with pytest.raises(InputError, match=r"Most scans are T1w, but not sub-88_T2w\.nii\.gz"):
        train_atlas(few, tmp_path / "model")


def test_scan_of_much_coarser_voxels_is_named(few, tmp_path):
    coarse = phantom.make_anatomy(spacing_mm=(5, 5, 12))
    write_person(few / "sub-77_T1w.nii.gz", coarse, 77)
    with pytest.raises(InputError, match=r"up to 5\.0 mm, but sub-77_T1w\.nii\.gz of 12\.0 mm"):
        train_atlas(few, tmp_path / "model")


def test_same_scan_packed_anew_is_found_out(few, tmp_path):
    content = gzip.decompress((few / "sub-00_T1w.nii.gz").read_bytes())
    (few / "sub-zz_T1w.nii").write_bytes(content)
    with pytest.raises(InputError, match=r"sub-00_T1w\.nii\.gz and .*sub-zz_T1w\.nii: hold the same scan"):
        train_atlas(few, tmp_path / "model")


def test_scan_that_cannot_be_read_is_named_with_the_others_tried(few, tmp_path):
    (few / "sub-66_T1w.nii.gz").write_bytes(b"nothing of the kind")
    (few / "sub-67_T1w.nii.gz").write_bytes(b"neither")
    with pytest.raises(InputError, match=r"2 of 10 scans cannot be used: .*sub-66.*; .*sub-67"):
        train_atlas(few, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_what_is_wrong_with_a_scan_is_told_with_its_name(few, tmp_path, monkeypatch):
    def refused(*_: object, **__: object) -> None:
        raise StepError("The scan does not look skull-stripped.")

    monkeypatch.setattr("medunsup.cohort.prepare_many.prepare", refused)
    with pytest.raises(InputError, match=r"sub-00_T1w\.nii\.gz: The scan .*sub-01_T1w\.nii\.gz: The scan "):
        train_atlas(few, tmp_path / "model")


def test_defect_while_preparing_is_told_with_the_scan(few, tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr("medunsup.cohort.prepare_many.prepare", broken)
    with pytest.raises(InputError, match=r"8 of 8 .*sub-00.*unexpected ZeroDivisionError: no such number"):
        train_atlas(few, tmp_path / "model")


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"score": "lof"}, "does not offer 'encode'"),
        ({"score": "zscor"}, "Did you mean 'zscore'"),
        ({"postprocess": ("blur=3",)}, "'blur=3' is not one of"),
        ({"parameters": {"smothing": 1}}, "did you mean 'smoothing'"),
        ({"spacing_mm": 100}, "spacing_mm"),
    ],
    ids=str,
)
def test_wrong_choice_is_told_before_anything_is_read(tmp_path, choices, words):
    with pytest.raises(UsageError, match=words):
        train_atlas(tmp_path / "not there", tmp_path / "model", **choices)


def test_model_without_reconstruction_is_scored_by_its_own_map(few, tmp_path):
    made = train("fpi", few, tmp_path / "fpi", parameters=SMALL_AE, **QUICK)
    assert made.settings.score == "deviation"


def test_full_disk_leaves_the_model_that_was_there(few, tmp_path, monkeypatch):
    made = train_atlas(few, tmp_path / "model")
    before = {path.name: path.read_bytes() for path in made.path.iterdir() if path.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        train_atlas(few, tmp_path / "model", force=True)
    after = {path.name: path.read_bytes() for path in made.path.iterdir() if path.is_file()}
    assert after == before


def test_full_disk_while_preparing_ends_it_at_once_and_names_the_cache(few, tmp_path, monkeypatch):
    tried = []

    def full(*_: object, **__: object) -> None:
        tried.append(1)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OutputError, match=r"cache.*\.npz: the disk is full.*\(`cache`\)"):
        train_atlas(few, tmp_path / "model", cache=tmp_path / "cache")
    assert len(tried) == 1


@pytest.mark.slow
def test_resumed_training_ends_with_the_weights_of_an_unbroken_one(few, tmp_path, monkeypatch):
    choices = {"parameters": SMALL_AE, "cache": tmp_path / "cache", **QUICK}
    whole = train("ae", few, tmp_path / "whole", **choices)

    break_off(monkeypatch, lambda: train("ae", few, tmp_path / "broken", **choices))
    assert not (tmp_path / "broken" / MANIFEST).exists()
    with pytest.raises(OutputError, match=r"not finished\. Go on with resume=True"):
        train("ae", few, tmp_path / "broken", **choices)
    resumed = train("ae", few, tmp_path / "broken", resume=True, **choices)
    assert resumed.facts["SHA256"][WEIGHTS] == whole.facts["SHA256"][WEIGHTS]
    assert (resumed.path / "training" / "log.jsonl").exists()
    assert verify(resumed.path).is_sound


@pytest.mark.slow
def test_training_is_not_resumed_with_other_choices(few, tmp_path, monkeypatch):
    choices = {"parameters": SMALL_AE, "cache": tmp_path / "cache", **QUICK}

    break_off(monkeypatch, lambda: train("ae", few, tmp_path / "broken", **choices))
    with pytest.raises(UsageError, match="begun with score zscore, not absolute"):
        train("ae", few, tmp_path / "broken", resume=True, score="absolute", **choices)
    longer = choices | {"parameters": {**SMALL_AE, "epochs": 4}}
    with pytest.raises(UsageError, match=r"begun with parameters\.epochs 3, not 4\. Resume"):
        train("ae", few, tmp_path / "broken", resume=True, **longer)
