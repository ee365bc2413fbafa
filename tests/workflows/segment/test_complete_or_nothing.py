"""A killed run, a full disk, an unwritable folder: nothing looks finished that is not, nothing is lost."""

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from medunsup.core.errors import OutputError
from medunsup.io.files.transaction import JOURNAL, Staging, recover
from medunsup.workflows.segment.save import save

# With a number as third word it waits for a signal before it writes that volume; several threads write.
SAVE = """
import itertools, pickle, signal, sys, threading
stopped, number = threading.Event(), itertools.count(1)
def stop(*_):
    stopped.set()
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, stop)
import medunsup.io.nifti.write as write
plain = write.write_volume
def write_or_wait(*arguments, **more):
    if sys.argv[3:] == [str(next(number))]:
        print("waiting", flush=True)
        stopped.wait()
    return plain(*arguments, **more)
write.write_volume = write_or_wait
from pathlib import Path
from medunsup.workflows.segment.save import save
save(pickle.loads(Path(sys.argv[1]).read_bytes()), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_a_run_killed_while_it_writes_leaves_no_file_that_looks_finished(sign, make_result, tmp_path):
    result, out = make_result(), tmp_path / "out"
    (tmp_path / "result").write_bytes(pickle.dumps(result))
    command = [sys.executable, "-c", SAVE, str(tmp_path / "result"), str(out), "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(sign)
        process.wait(10)
    assert not [path for path in out.rglob("*") if path.is_file() and not _is_hidden(path, out)]
    assert out.exists() == (sign == signal.SIGKILL)
    paths = save(result, out)
    assert all(path.exists() for path in paths.values())
    assert not [path for path in out.iterdir() if path.name.startswith(".medunsup")]


def test_a_run_killed_while_it_moves_files_is_finished_by_the_next(make_result, tmp_path, monkeypatch):
    result, out = make_result(), tmp_path / "out"
    moved = []
    plain = type(tmp_path).replace

    def replace(path, target):
        if (
            ".medunsup-staging" in str(path.parent.name)
            and path.name != JOURNAL
            and not path.name.startswith(".")
        ):
            if len(moved) == 4:
                raise KeyboardInterrupt
            moved.append(path.name)
        return plain(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        save(result, out)
    assert len(moved) == 4
    assert not (out / "scan_dseg.json").exists()
    monkeypatch.undo()
    recover(out, "scan")
    assert (out / "scan_dseg.json").exists()
    assert len(list(out.glob("*.nii.gz"))) == 7
    with pytest.raises(OutputError, match="exists already"):
        save(result, out)


def test_replacing_a_result_takes_its_sidecar_away_before_anything_else_changes(tmp_path):
    for text in ("old", "new"):
        with Staging(tmp_path, "scan") as staging:
            for name in ("map.nii.gz", "done.json"):
                staging.place(tmp_path / name).write_text(text)
            if text == "new":
                (tmp_path / "map.nii.gz").unlink()
                (tmp_path / "map.nii.gz").mkdir()  # so that the move fails
                with pytest.raises(OutputError):
                    staging.publish(last=tmp_path / "done.json")
            else:
                staging.publish(last=tmp_path / "done.json")
    assert not (tmp_path / "done.json").exists()


def test_a_full_disk_is_said_in_one_line_and_keeps_what_was_there(make_result, tmp_path, monkeypatch):
    result, out = make_result(), tmp_path / "out"
    before = {path: path.read_bytes() for path in save(result, out).values()}
    monkeypatch.setattr(os, "fsync", _disk_full)
    with pytest.raises(OutputError, match="disk is full") as caught:
        save(result, out, force=True)
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in before} == before
    assert not [path for path in out.iterdir() if path.name.startswith(".medunsup")]


def test_a_file_size_limit_in_a_real_process_ends_in_a_clear_error(make_result, tmp_path):
    (tmp_path / "result").write_bytes(pickle.dumps(make_result()))
    limited = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    ) + SAVE
    command = [sys.executable, "-c", limited, str(tmp_path / "result"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "OutputError" in done.stderr.splitlines()[-1]
    assert not list((tmp_path / "out").glob("*.nii.gz"))


def test_a_file_in_place_of_the_folder_is_a_clear_error(make_result, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match="`out`"):
        save(make_result(), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs /proc, which nobody may write to")
def test_an_unwritable_folder_is_a_clear_error(make_result):
    with pytest.raises(OutputError, match="`out`"):
        save(make_result(), Path("/proc/self/out"))


def test_the_sidecar_of_the_labels_is_the_last_file_to_come(make_result, tmp_path, monkeypatch):
    order = []
    plain = type(tmp_path).replace

    def replace(path, target):
        order.append(target.name)
        return plain(path, target)

    monkeypatch.setattr(type(tmp_path), "replace", replace)
    save(make_result(), tmp_path / "out")
    assert order[-1] == "scan_dseg.json"
    assert json.loads((tmp_path / "out" / "scan_dseg.json").read_text())["Volumes"]


def _disk_full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def _is_hidden(path, root):
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def test_a_live_run_on_a_scan_of_a_longer_name_is_left_alone(tmp_path):
    with Staging(tmp_path, "scan.1") as staging:
        recover(tmp_path, "scan")
        assert staging.hidden.exists()
        recover(tmp_path, "scan.1")
        assert not staging.hidden.exists()
