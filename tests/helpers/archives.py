"""Archives to send to: pynetdicom's own in this process, and a real Orthanc that only loopback reaches."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from pydicom import Dataset, dcmread
from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, evt

PLUGIN = "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"  # Debian package orthanc-dicomweb
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


class Archive:
    """What came to a storage SCP: files by identifier; `status` is what it answers to all."""

    def __init__(self) -> None:
        self.port = 0
        self.files: dict[str, Dataset] = {}
        self.n_requests = 0
        self.status = 0x0000
        self.fails_after: int | None = None

    def on_store(self, event) -> int:
        self.n_requests += 1
        if self.fails_after is not None and self.n_requests > self.fails_after:
            event.assoc.abort()
            return 0x0000
        item = dcmread(BytesIO(event.encoded_dataset()))
        if self.status == 0x0000:
            self.files[item.SOPInstanceUID] = item
        return self.status


@contextmanager
def archive(
    classes: Sequence[str] = (MR_IMAGE,),
    *,
    syntaxes: Sequence[str] = tuple(ALL_TRANSFER_SYNTAXES),
    title: str = "ARCHIVE",
    callers: Sequence[str] = (),
    only_called: bool = False,
) -> Iterator[Archive]:
    """A storage SCP of pynetdicom that takes some kinds of object."""
    ae, here = AE(title), Archive()
    ae.require_called_aet, ae.require_calling_aet = only_called, list(callers)
    for each in classes:
        ae.add_supported_context(each, list(syntaxes))
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, here.on_store)])
    here.port = server.server_address[1]
    try:
        yield here
    finally:
        ae.shutdown()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def why_no_orthanc() -> str:
    """Say why a real Orthanc cannot run here; nothing if it can."""
    if not shutil.which("Orthanc"):
        return "Orthanc is not installed (Debian package orthanc)"
    if os.geteuid() or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        return "no network namespace can be made, in which Orthanc is reached from nowhere"
    return ""


IN_NAMESPACE = "MEDUNSUP_TEST_NAMESPACE"


def run_beside_orthanc(script: str, folder: Path) -> str:
    """Run Python beside an Orthanc in a network namespace of their own; return what it prints.

    In it Orthanc listens on ports 4242 (DICOM, title ORTHANC) and 8042 (HTTP) of loopback, and nothing else
    of the network is there.
    """
    code = folder / "script.py"
    code.write_text(script)
    command = ["unshare", "-n", sys.executable, __file__, str(folder), str(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def _inside(folder: Path, code: Path) -> int:
    _raise_loopback()
    settings = {
        "Name": "TEST",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "DicomAet": "ORTHANC",
        "DicomPort": 4242,
        "HttpPort": 8042,
        "DicomCheckCalledAet": True,
        "AuthenticationEnabled": False,
        "Plugins": [PLUGIN] if Path(PLUGIN).exists() else [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("w") as log:
        server = subprocess.Popen(["Orthanc", str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen("http://127.0.0.1:8042/system", timeout=2)
                break
            except OSError:
                time.sleep(0.2)
        return subprocess.run([sys.executable, str(code)]).returncode
    finally:
        server.terminate()
        server.wait(20)


def _raise_loopback() -> None:
    """`ip link set lo up`, for systems without that program."""
    import fcntl
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        flags = struct.pack("16sh", b"lo", 0x1 | 0x40)  # up, running
        fcntl.ioctl(one, 0x8914, flags)


if __name__ == "__main__":
    sys.exit(_inside(Path(sys.argv[1]), Path(sys.argv[2])))
