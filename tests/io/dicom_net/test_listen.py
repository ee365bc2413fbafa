"""The listener against real senders, and what is none: kept before Success, refused with the right code."""

import errno
import logging
import os
import socket
import subprocess
import time
from io import BytesIO
from shutil import which

import pytest
from helpers.dicom_maker import PATIENT_NAME, make_slices, write_slices
from pydicom import dcmread
from pynetdicom import AE
from pynetdicom.sop_class import MRImageStorage, Verification

from medunsup.core.errors import OutputError, UsageError
from medunsup.io.dicom_net import listen
from medunsup.io.dicom_net.listen import listening


class Kept:
    def __init__(self):
        self.objects, self.error, self.n_heard = [], None, 0

    def keep(self, received, content):
        if self.error:
            raise self.error
        self.objects.append((received, content))

    def heard(self, received):
        self.n_heard += 1


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
def port(kept):
    with listening("MEDUNSUP", "127.0.0.1", 0, ["SCANNER"], kept.keep, kept.heard) as at:
        yield at


def dcmtk_storescu() -> str:
    """Path of dcmtk's sender: pynetdicom brings a program of the same name that takes other words."""
    for folder in os.environ["PATH"].split(os.pathsep):
        path = which("storescu", path=folder)
        if path and b"$dcmtk" in subprocess.run([path, "--version"], capture_output=True).stdout:
            return path
    return ""


def send_without_end(link, start):
    link.sendall(start)
    for _ in range(400):
        link.sendall(b"x" * 2**18)
        time.sleep(0.01)


def associate(port, calling="SCANNER", called="MEDUNSUP"):
    ae = AE(calling)
    ae.add_requested_context(MRImageStorage)
    ae.add_requested_context(Verification)
    return ae.associate("127.0.0.1", port, ae_title=called)


def test_objects_are_kept_as_they_came(port, kept):
    association = associate(port)
    assert association.send_c_echo().Status == 0x0000
    slices = make_slices(n=3)
    for item in slices:
        assert association.send_c_store(item).Status == 0x0000
    association.release()
    assert [dcmread(BytesIO(content)) for _, content in kept.objects] == slices
    assert kept.n_heard > 0
    folders = {received.series_folder for received, _ in kept.objects}
    assert len(folders) == 1
    assert not any(item.SeriesInstanceUID in str(folders) for item in slices)


@pytest.mark.skipif(not dcmtk_storescu(), reason="dcmtk's storescu is not installed")
def test_dcmtk_can_send(port, kept, tmp_path):
    folder = write_slices(make_slices(n=3), tmp_path)
    words = [
        dcmtk_storescu(),
        "-aet",
        "SCANNER",
        "-aec",
        "MEDUNSUP",
        "+sd",
        "127.0.0.1",
        str(port),
        str(folder),
    ]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(kept.objects) == 3


@pytest.mark.parametrize(
    ("titles", "said"),
    [({"called": "OTHER"}, "called another title"), ({"calling": "Secret"}, "has a title that")],
)
def test_wrong_titles_are_refused_and_logged_without_them(port, titles, said, caplog):
    assert associate(port, **titles).is_rejected
    (line,) = [entry.getMessage() for entry in caplog.records if entry.name.startswith("medunsup")]
    assert said in line
    assert "Secret" not in line
    assert "OTHER" not in line


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 0xA700),
        (OutputError("spool/x: the disk is full."), 0xA700),
        (MemoryError(), 0xA700),
        (RuntimeError(PATIENT_NAME), 0xC000),
    ],
)
def test_what_cannot_be_kept_is_never_answered_with_success(port, kept, error, status, caplog):
    kept.error = error
    association = associate(port)
    (item,) = make_slices(n=1)
    assert association.send_c_store(item).Status == status
    kept.error = None
    assert association.send_c_store(item).Status == 0x0000
    association.release()
    assert PATIENT_NAME not in caplog.text


@pytest.mark.parametrize("tag", ["StudyInstanceUID", "SeriesInstanceUID"])
@pytest.mark.parametrize("value", [None, "", "../../etc/passwd", "1" * 65])
def test_objects_without_proper_identifiers_are_refused(port, kept, tag, value, caplog):
    (item,) = make_slices(n=1)
    if value is None:
        del item[tag]
    else:
        item[tag]._value = value
    association = associate(port)
    assert association.send_c_store(item).Status == 0xC000
    association.release()
    assert not kept.objects
    assert PATIENT_NAME not in caplog.text
    assert "ID-4711" not in caplog.text


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x01\x00\x00\x01\x00\x00",
        b"\x04\x00\x00\x01\x00\x00",
        b"\x07\x00\x00\x00\x00\x04",
    ],
    ids=["http", "long request", "long data", "abort"],
)
def test_rubbish_without_end_is_hung_up_on(port, kept, start, caplog, monkeypatch):
    monkeypatch.setattr(listen, "LONGEST_PDU", 2**15)
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.settimeout(10)
        with pytest.raises(OSError):
            send_without_end(link, start)
    association = associate(port)
    assert association.is_established
    association.release()
    assert ("127.0.0.1:" if start[0] == 7 else "127.0.0.1: sent what is not DICOM") in caplog.text


def test_an_object_without_end_is_hung_up_on(port, kept, monkeypatch):
    monkeypatch.setattr(listen, "MOST_BYTES", 100_000)
    (item,) = make_slices(n=1)
    item.PixelData = b"x" * 10_000_000
    association = associate(port)
    assert association.send_c_store(item).get("Status") is None
    assert not kept.objects


def test_a_sender_that_stops_in_the_middle_is_hung_up_on(kept, monkeypatch):
    monkeypatch.setattr(listen, "SILENCE_S", 0.5)
    with (
        listening("MEDUNSUP", "127.0.0.1", 0, [], kept.keep, kept.heard) as port,
        socket.create_connection(("127.0.0.1", port)) as link,
    ):
        link.settimeout(10)
        link.sendall(b"\x01\x00\x00\x00")
        assert link.recv(10) in (b"", b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00")


def test_the_same_refusal_does_not_fill_the_log(port, caplog):
    for _ in range(5):
        associate(port, called="OTHER")
    lines = [
        entry for entry in caplog.records if entry.levelno >= logging.WARNING and "medunsup" in entry.name
    ]
    assert len(lines) == 1


def test_a_port_in_use_is_told(port, kept):
    with (
        pytest.raises(UsageError, match=f"port {port} of 127.0.0.1 is in use"),
        listening("MEDUNSUP", "127.0.0.1", port, [], kept.keep, kept.heard),
    ):
        pass


def test_nobody_outside_reaches_the_default_address(port):
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in {each for each in addresses if not each.startswith("127.")}:
        with pytest.raises(OSError):
            socket.create_connection((address, port), timeout=2)
