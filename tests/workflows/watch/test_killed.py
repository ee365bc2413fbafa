"""A watcher that is killed at any moment and started again loses no series and makes no result twice."""

import random
import time
from pathlib import Path
from threading import Thread

import pytest
from helpers.archives import free_port
from helpers.brain_series import Watcher, write_series
from pydicom import dcmread

import medunsup
from medunsup.workflows.send.record import NAME


def send_all(folder: Path, port: int) -> None:
    """Send again and again until all is taken, as a scanner's queue does."""
    for _ in range(200):
        try:
            if not medunsup.send(folder, to=f"127.0.0.1:{port}", called="MEDUNSUP").n_not_taken:
                return
        except medunsup.errors.OutputError:
            pass
        time.sleep(0.1)
    raise AssertionError("never taken")


def taken(folder: Path) -> set[str]:
    """Identifiers of the objects that the watcher said it had."""
    record = folder / NAME
    return {line.split("\t")[1] for line in record.read_text().splitlines()} if record.exists() else set()


def in_spool(spool: Path) -> set[str]:
    return {str(dcmread(path).SOPInstanceUID) for path in spool.rglob("*.dcm")}


def results(out: Path) -> dict[str, int]:
    """Each result by name, with the number of its file: a result made twice has another."""
    return {path.name: path.stat().st_ino for path in out.glob("*_dseg.json")}


def check_killed(anatomy, tmp_path, n_series, n_kills, seed):
    image = anatomy.image("T1w")
    image = image.like(image.data * anatomy.mask.data)
    for n in range(n_series):
        write_series(image, tmp_path / "sent" / str(n), SeriesNumber=n)
    draw = random.Random(seed)
    port, sent = free_port(), tmp_path / "sent"
    words = ["--port", str(port), "-o", str(tmp_path / "out"), "--quiet-for", "0.5"]
    sender = Thread(target=send_all, args=(sent, port))
    sender.start()
    made: dict[str, int] = {}
    for n in range(n_kills):
        watcher = Watcher(words, tmp_path / f"log{n}")
        watcher.wait_for("Listening")
        time.sleep(draw.uniform(0, 2.5))
        watcher.kill()
        time.sleep(0.3)  # its worker ends a moment after it
        assert taken(sent) <= in_spool(tmp_path / "out_spool")
        now = results(tmp_path / "out")
        assert made.items() <= now.items()
        made = now
    watcher = Watcher(words, tmp_path / "last")
    sender.join()
    until = time.monotonic() + 60
    while len(list((tmp_path / "out_spool").rglob("series-*.json"))) < n_series:
        assert time.monotonic() < until, (tmp_path / "last").read_text()
        time.sleep(0.1)
    assert watcher.interrupt() == 130
    assert made.items() <= results(tmp_path / "out").items()
    assert len(results(tmp_path / "out")) == n_series
    assert len(in_spool(tmp_path / "out_spool")) == len(list(sent.rglob("*.dcm")))
    assert not list((tmp_path / "out_spool").rglob("*.part"))


@pytest.mark.slow
def test_three_kills_lose_nothing_and_make_nothing_twice(small_brain, tmp_path):
    check_killed(small_brain, tmp_path, n_series=1, n_kills=3, seed=0)


@pytest.mark.slow
def test_twenty_kills_lose_nothing_and_make_nothing_twice(small_brain, tmp_path):
    check_killed(small_brain, tmp_path, n_series=4, n_kills=20, seed=1)
