"""Series that arrive are processed once each, when they are complete; what goes wrong is theirs alone."""

import errno
import json
import sys
import time
from pathlib import Path

import pytest
from helpers.archives import free_port
from helpers.brain_series import QUICK, Watcher, write_series
from helpers.dicom_maker import PATIENT_NAME, make_slices, write_slices
from typer.testing import CliRunner

import medunsup
from medunsup.cli.main import app
from medunsup.cohort.batch import Outcome
from medunsup.io.dicom_net.received import identify
from medunsup.workflows.watch import spool as spool_module
from medunsup.workflows.watch import watch as watch_module
from medunsup.workflows.watch.spool import Spool


@pytest.fixture
def jobs(monkeypatch):
    """Stand in for segmenting: list the series that were worked on, with the number of their files."""
    done: list[tuple[str, int]] = []

    def run_job(job, series):
        done.append((series.name, len(list(series.glob("*.dcm")))))
        return Outcome(series, "done")

    monkeypatch.setattr(watch_module, "run_job", run_job)
    return done


def look(inbox, out, **more):
    return medunsup.watch(out, **{"folder": inbox, "once": True, "quiet_for": 0.2} | more)


def content(item, tmp_path):
    (path,) = write_slices([item], tmp_path / "one").iterdir()
    return path.read_bytes()


def test_each_series_of_a_folder_is_processed_once_and_files_stay_where_they_are(jobs, tmp_path):
    write_slices(make_slices(n=4), tmp_path / "in" / "a")
    write_slices(make_slices(n=3), tmp_path / "in" / "b")
    (tmp_path / "in" / "notes.txt").write_text("no DICOM")
    before = {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}
    assert [series.status for series in look(tmp_path / "in", tmp_path / "out")] == ["done", "done"]
    assert sorted(count for _, count in jobs) == [3, 4]
    assert look(tmp_path / "in", tmp_path / "out") == []
    assert len(jobs) == 2
    assert before == {path: path.read_bytes() for path in (tmp_path / "in").rglob("*") if path.is_file()}


def test_a_series_that_grows_is_not_complete(tmp_path):
    with Spool.opened(tmp_path / "spool") as spool:
        for item in make_slices(n=4):
            spool.take(identify(data := content(item, tmp_path)), data)
            time.sleep(0.1)
            assert spool.next_complete(0.3, set()) is None
        time.sleep(0.35)
        assert spool.next_complete(0.3, set()) is not None
        assert spool.next_complete(0.3, set()) is None


def test_more_from_the_same_sender_keeps_a_series_open(tmp_path):
    (item,) = make_slices(n=1)
    data = content(item, tmp_path)
    with Spool.opened(tmp_path / "spool") as spool:
        spool.take(identify(data), data)
        for _ in range(4):
            time.sleep(0.1)
            spool.heard(identify(data))
            assert spool.next_complete(0.3, set()) is None


def test_the_count_in_the_header_completes_a_series_at_once(tmp_path):
    slices = make_slices(n=3, NumberOfSeriesRelatedInstances=3)
    with Spool.opened(tmp_path / "spool") as spool:
        for n, item in enumerate(slices):
            spool.take(identify(data := content(item, tmp_path)), data)
            assert (spool.next_complete(600, set()) is not None) == (n == 2)


def test_a_series_that_lacks_files_by_its_header_says_so(jobs, tmp_path):
    write_slices(make_slices(n=3, NumberOfSeriesRelatedInstances=5), tmp_path / "in")
    (series,) = look(tmp_path / "in", tmp_path / "out")
    assert series.warnings == ("the header names 5 files of the series, and 3 came",)


def test_an_object_that_comes_twice_is_kept_once_and_a_late_one_is_told(jobs, tmp_path, caplog):
    slices = make_slices(n=3)
    write_slices(slices[:2], tmp_path / "in")
    look(tmp_path / "in", tmp_path / "out")
    with Spool.opened(tmp_path / "out_spool") as spool:
        spool.take(identify(data := content(slices[0], tmp_path)), data)
        assert not caplog.records
        spool.take(identify(data := content(slices[2], tmp_path)), data)
        assert "came after the series was processed" in caplog.text
        assert spool.is_empty
    assert len(list((tmp_path / "out_spool").rglob("*.dcm"))) == 3
    assert PATIENT_NAME not in caplog.text


def test_a_series_without_images_is_passed_over(jobs, tmp_path):
    (item,) = make_slices(n=1)
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.66.4"
    write_slices([item], tmp_path / "in")
    assert [series.status for series in look(tmp_path / "in", tmp_path / "out")] == ["passed over"]
    assert not jobs


def test_a_job_that_fails_is_recorded_and_the_next_goes_on(monkeypatch, tmp_path):
    def run_job(job, series):
        return Outcome(series, "error", error=f"{series}: broken")

    monkeypatch.setattr(watch_module, "run_job", run_job)
    write_slices(make_slices(n=2), tmp_path / "in" / "a")
    write_slices(make_slices(n=2), tmp_path / "in" / "b")
    assert [series.error for series in look(tmp_path / "in", tmp_path / "out")] == ["broken", "broken"]
    records = [json.loads(path.read_text()) for path in (tmp_path / "out_spool").rglob("*.json")]
    assert {record["status"] for record in records} == {"error"}
    assert look(tmp_path / "in", tmp_path / "out") == []


def test_a_result_that_cannot_be_written_is_tried_again(monkeypatch, jobs, tmp_path):
    quick = watch_module.run_job
    full = [Outcome(Path("x"), "error", error="x: the disk is full", is_fatal=True)] * 2
    monkeypatch.setattr(watch_module, "run_job", lambda *words: full.pop() if full else quick(*words))
    write_slices(make_slices(n=2), tmp_path / "in")
    for _ in range(2):
        with pytest.raises(medunsup.errors.OutputError, match="full"):
            look(tmp_path / "in", tmp_path / "out")
    assert [series.status for series in look(tmp_path / "in", tmp_path / "out")] == ["done"]


def test_a_full_disk_leaves_no_half_file(monkeypatch, tmp_path):
    (item,) = make_slices(n=1)
    data = content(item, tmp_path)

    def no_room(path, *words, **more):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Spool.opened(tmp_path / "spool") as spool:
        monkeypatch.setattr("pathlib.Path.write_bytes", no_room)
        with pytest.raises(medunsup.errors.OutputError, match="full"):
            spool.take(identify(data), data)
        monkeypatch.undo()
        assert not [path for path in (tmp_path / "spool").rglob("*") if path.suffix in (".dcm", ".part")]
        spool.take(identify(data), data)


def test_two_watchers_never_share_a_spool(jobs, tmp_path):
    (tmp_path / "in").mkdir()
    with (
        Spool.opened(tmp_path / "out_spool"),
        pytest.raises(medunsup.errors.OutputError, match="is writing here"),
    ):
        look(tmp_path / "in", tmp_path / "out")
    assert look(tmp_path / "in", tmp_path / "out") == []


def test_without_the_packages_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with pytest.raises(medunsup.errors.DependencyError, match="dicom-net"):
        medunsup.watch(tmp_path / "out", port=free_port())


def test_nobody_else_may_look_into_the_spool(jobs, tmp_path):
    write_slices(make_slices(n=1), tmp_path / "in")
    look(tmp_path / "in", tmp_path / "out")
    assert (tmp_path / "out_spool").stat().st_mode & 0o777 == spool_module.FOLDER_MODE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--folder", "gone"], "there is no such folder"),
        (["--folder", ".", "--run", "segment", "--model", "m"], "--model is of --run detect"),
        (["--folder", ".", "--run", "detect", "--method", "kmeans"], "do not fit"),
        (["--folder", ".", "--binary"], "Add --dicom"),
        (["--folder", ".", "--quiet-for", "0"], "--quiet-for 0.0: give seconds"),
        (["--aet", "a" * 17], "AE titles have 1 to 16"),
        (["--from", "a\\b"], "AE titles have 1 to 16"),
        (["--folder", ".", "--method", "kmens"], "kmeans"),
    ],
)
def test_wrong_words_are_told_before_anything_is_made(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["watch", "-o", "out", "--once", *words])
    assert done.exit_code == 2
    assert said in done.stderr
    assert not list(tmp_path.rglob("*.dcm"))


@pytest.mark.slow
def test_a_listener_segments_what_is_sent_and_ctrl_c_ends_it(small_brain, tmp_path):
    image = small_brain.image("T1w")
    sent = write_series(image.like(image.data * small_brain.mask.data), tmp_path / "sent")
    port = free_port()
    words = ["--port", str(port), "-o", str(tmp_path / "out"), "--quiet-for", "1", "--dicom"]
    watcher = Watcher(words, tmp_path / "log")
    watcher.wait_for("Listening as MEDUNSUP on 127.0.0.1")
    second = Watcher([*words, "--spool", str(tmp_path / "other")], tmp_path / "second")
    assert second.process.wait(60) == 2
    assert f"port {port} of 127.0.0.1 is in use" in (tmp_path / "second").read_text()
    assert medunsup.send(sent, to=f"127.0.0.1:{port}", called="MEDUNSUP").n_not_taken == 0
    watcher.wait_for("done")
    assert watcher.interrupt() == 130
    log = (tmp_path / "log").read_text()
    for secret in (PATIENT_NAME, "ID-4711", "19490301", "Traceback"):
        assert secret not in log
    assert len(list((tmp_path / "out").glob("series-*_dseg.nii.gz"))) == 1
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 6


@pytest.mark.slow
def test_json_tells_what_became_of_each_series(small_brain, tmp_path):
    image = small_brain.image("T1w")
    write_series(image.like(image.data * small_brain.mask.data), tmp_path / "in" / "brain")
    write_slices(make_slices(), tmp_path / "in" / "noise")
    words = [
        "watch",
        "--folder",
        tmp_path / "in",
        "-o",
        tmp_path / "out",
        "--once",
        "--quiet-for",
        "1",
        "--json",
    ]
    done = CliRunner().invoke(app, [*map(str, words), *QUICK])
    told = json.loads(done.stdout)
    assert done.exit_code == told["exit_code"] == 1
    assert {series["status"] for series in told["series"]} == {"done", "error"}
