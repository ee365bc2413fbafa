"""A folder of what was learned is whole or not there, and never read if it is not what was written."""

import json

import numpy as np
import pytest

from medunsup.core.errors import InputError, OutputError
from medunsup.io.files.artifact_folder import (
    COMPRESSED,
    ArtifactFolder,
    arrays_as_bytes,
    compressed,
    write_artifact,
)
from medunsup.io.files.hashes import hash_file

ARRAYS = {
    "mean": np.linspace(-1, 1, 60, dtype=np.float32).reshape(3, 4, 5),
    "names": np.arange(3, dtype=np.int64),
    "mask": np.array([True, False]),
}


def write(folder, pack=arrays_as_bytes, name="weights.safetensors", **more) -> ArtifactFolder:
    files = {name: pack(ARRAYS), "card.md": "# Card\n"}
    write_artifact(folder, files, "about.json", lambda hashes: {"SHA256": dict(hashes)}, kind="test", **more)
    return ArtifactFolder(folder, json.loads((folder / "about.json").read_text())["SHA256"])


@pytest.mark.parametrize(("pack", "ending"), [(arrays_as_bytes, ""), (compressed, COMPRESSED)])
def test_arrays_come_back_as_they_were(tmp_path, pack, ending):
    made = write(tmp_path, pack, "weights.safetensors" + ending)
    assert made.stored("weights.safetensors") == "weights.safetensors" + ending
    found = made.arrays("weights.safetensors")
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_half_precision_is_widened(tmp_path):
    (tmp_path / "half").write_bytes(arrays_as_bytes({"one": np.array([0.1], np.float16)}))
    found = ArtifactFolder(tmp_path, {"half": hash_file(tmp_path / "half")}).arrays("half")
    assert found["one"].dtype == np.float32
    assert found["one"][0] == np.float16(0.1)


def test_a_changed_or_missing_file_is_named_and_arrays_of_another_hash_are_refused(tmp_path):
    made = write(tmp_path)
    assert made.changed() == []
    (tmp_path / "card.md").unlink()
    other = {**ARRAYS, "mean": -ARRAYS["mean"]}
    (tmp_path / "weights.safetensors").write_bytes(arrays_as_bytes(other))
    assert made.changed() == ["weights.safetensors", "card.md"]
    with pytest.raises(InputError, match="its hash differs"):
        made.arrays("weights.safetensors")


@pytest.mark.parametrize("pack", [arrays_as_bytes, compressed])
def test_a_file_cut_short_is_damaged_and_one_that_is_not_there_missing(tmp_path, pack):
    name = "weights.safetensors" + (COMPRESSED if pack is compressed else "")
    made = write(tmp_path, pack, name)
    (tmp_path / name).write_bytes(pack(ARRAYS)[:-20])
    with pytest.raises(InputError, match="damaged or cut short"):
        made.arrays("weights.safetensors")
    (tmp_path / name).unlink()
    with pytest.raises(InputError, match="is missing"):
        made.arrays("weights.safetensors")


def test_a_full_disk_leaves_the_folder_that_was_there(tmp_path, monkeypatch):
    write(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        write(tmp_path, compressed, "weights.safetensors.xz", outdated=["weights.safetensors"])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_files_of_an_earlier_kind_are_removed(tmp_path):
    write(tmp_path)
    write(tmp_path, compressed, "weights.safetensors.xz", outdated=["weights.safetensors"])
    assert {path.name for path in tmp_path.iterdir()} == {"weights.safetensors.xz", "card.md", "about.json"}
