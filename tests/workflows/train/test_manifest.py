"""What a model.json says is read as it was written, by this version and by earlier ones of its format."""

import json

import pytest

from medunsup.core.errors import InputError, UsageError
from medunsup.core.renamed import by_new_names
from medunsup.workflows.train.manifest import FORMAT, Manifest, read_manifest
from medunsup.workflows.train.model_folder import MANIFEST
from medunsup.workflows.train.settings import TrainSettings
from medunsup.workflows.train.shipped import shipped_models

LEAST = {"Format": FORMAT, "Settings": {}, "Contrast": "T1w", "Shape": [1, 16, 16, 16]}


def write(folder, record):
    path = folder / MANIFEST
    path.write_text(record if isinstance(record, str) else json.dumps(record))
    return path


@pytest.mark.parametrize("name", shipped_models())
def test_a_bundled_model_json_comes_back_word_for_word(name):
    path = shipped_models()[name] / MANIFEST
    written = json.loads(path.read_text())
    written["Settings"] = by_new_names(written["Settings"], TrainSettings.renamed)
    assert json.dumps(read_manifest(path).as_record()) == json.dumps(written)


def test_settings_of_earlier_versions_are_read_by_their_new_names_without_a_word(tmp_path, recwarn):
    old = LEAST | {"Settings": {"least_part_mm3": 7.0}}
    assert read_manifest(write(tmp_path, old)).settings.min_cluster_mm3 == 7
    assert not recwarn.list


def test_what_is_written_is_read_and_says_who_wrote_it(tmp_path):
    made = Manifest(
        settings=TrainSettings(postprocess=("median=3",), parameters={"epochs": 2}),
        contrast="FLAIR",
        shape=(2, 16, 32, 16),
        coarsest_mm=1.5,
        healthy_by={"group control": 3},
        check={"ScanScore": 0.1 + 0.2},
    ).written_now({"weights.safetensors": "00"})
    again = read_manifest(write(tmp_path, made.as_record()))
    assert again == made
    assert (again.format, again.sha256) == (FORMAT, {"weights.safetensors": "00"})
    assert again.generated_by[0]["Name"] == "medunsup"


def test_an_older_file_of_this_format_is_read_and_not_added_to(tmp_path):
    found = read_manifest(write(tmp_path, LEAST))
    assert (found.left_out, found.coarsest_mm, found.settings) == ({}, None, TrainSettings())
    assert set(found.as_record()) == set(LEAST)


def test_a_key_of_a_later_version_is_kept(tmp_path):
    assert read_manifest(write(tmp_path, LEAST | {"Licence": "CC0"})).as_record()["Licence"] == "CC0"


@pytest.mark.parametrize(
    "record",
    ["", "[]", "{", *({key: value for key, value in LEAST.items() if key != lost} for lost in LEAST)],
    ids=str,
)
def test_a_file_cut_short_is_refused(tmp_path, record):
    with pytest.raises(InputError, match=r"model\.json: cannot be read as a model's description"):
        read_manifest(write(tmp_path, record))


def test_a_shape_of_three_numbers_is_none(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_manifest(write(tmp_path, LEAST | {"Shape": [16, 16, 16]}))


def test_another_format_names_who_wrote_it_and_an_unknown_choice_its_key(tmp_path):
    with pytest.raises(InputError, match=r"format 2 by medunsup 0\.0"):
        read_manifest(write(tmp_path, {"Format": 2, "Version": "0.0", "Settings": {"old": 1}}))
    with pytest.raises(UsageError, match="unknown key 'old'"):
        read_manifest(write(tmp_path, LEAST | {"Settings": {"old": 1}}))
