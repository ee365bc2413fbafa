"""Two runs on one output folder: the second is told so; a lock nobody holds any more is taken over."""

import json
import os
import socket
import subprocess
import sys

import pytest

from medunsup.core.errors import OutputError
from medunsup.io.files.lock import locked

HOLD = """
import sys
from pathlib import Path
from medunsup.io.files.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def _holder(lock):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_while_the_first_lives_and_let_in_after(tmp_path):
    lock = tmp_path / "out" / ".lock"
    holder = _holder(lock)
    with pytest.raises(OutputError, match=f"process {holder.pid}") as caught, locked(lock):
        pass
    assert "\n" not in str(caught.value)
    holder.communicate("done\n", timeout=20)
    with locked(lock):
        assert lock.exists()
    assert not lock.exists()


def test_the_lock_of_a_killed_run_is_taken_over(tmp_path):
    lock = tmp_path / ".lock"
    holder = _holder(lock)
    holder.kill()
    holder.communicate(timeout=20)
    assert lock.exists()
    with locked(lock):
        pass
    assert not any(tmp_path.iterdir())


def test_a_number_used_again_by_another_process_is_not_taken_for_the_old_one(tmp_path):
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"host": socket.gethostname(), "pid": 1, "start": 12.5}))
    with locked(lock):
        assert json.loads(lock.read_text())["pid"] == os.getpid()


def test_the_lock_of_another_computer_is_respected(tmp_path):
    lock = tmp_path / ".lock"
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1, "start": 0.0}))
    with pytest.raises(OutputError, match="elsewhere"), locked(lock):
        pass
    assert lock.exists()


def test_a_lock_that_cannot_be_read_says_which_file_to_delete(tmp_path):
    lock = tmp_path / ".lock"
    lock.write_text("")
    with pytest.raises(OutputError, match=r"delete \.lock"), locked(lock):
        pass


def test_the_lock_is_given_back_after_an_error(tmp_path):
    lock = tmp_path / ".lock"
    with pytest.raises(ZeroDivisionError), locked(lock):
        1 / 0  # noqa: B018
    assert not lock.exists()
