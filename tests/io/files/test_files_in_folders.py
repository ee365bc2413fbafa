"""An artifact's files may lie in folders of it: all or none are written, and outdated ones go."""

import pytest

from medunsup.io.files import transaction
from medunsup.io.files.artifact_folder import write_artifact
from medunsup.io.files.hashes import hash_file


def write(folder, files, outdated=()):
    said = {}
    write_artifact(folder, files, "all.json", said.update, kind="thing", outdated=outdated)
    return said


def test_files_in_folders_are_written_and_outdated_ones_go_with_their_folder(tmp_path):
    said = write(tmp_path, {"a.txt": "a", "images/b.bin": b"b"})
    assert said["images/b.bin"] == hash_file(tmp_path / "images" / "b.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "all.json", "images"]
    write(tmp_path, {"a.txt": "a"}, outdated=["a.txt", "images/b.bin"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "all.json"]


def test_others_files_keep_the_folder(tmp_path):
    write(tmp_path, {"images/b.bin": b"b"})
    (tmp_path / "images" / "mine").write_text("mine")
    write(tmp_path, {"a.txt": "a"}, outdated=["images/b.bin"])
    assert [path.name for path in (tmp_path / "images").iterdir()] == ["mine"]


def test_a_run_that_ended_while_it_moved_is_finished(tmp_path, monkeypatch):
    def ended(hidden, folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(transaction, "_move", ended)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, {"images/b.bin": b"b"})
    monkeypatch.undo()
    transaction.recover(tmp_path, "thing")
    assert (tmp_path / "images" / "b.bin").read_bytes() == b"b"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.json", "images"]
