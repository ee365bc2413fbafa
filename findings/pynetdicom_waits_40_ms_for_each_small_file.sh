#!/usr/bin/env bash
# C-STORE of a series: many small files over one association, each answered before the next is sent.
# Guess: on one computer it takes a few milliseconds a file, the time to encode and to decode it.
# Seen: over 40 ms a file. Command and data leave in two writes without TCP_NODELAY, so the second waits until the
# receiver's delayed acknowledgement of the first (40 ms on Linux). With that option on the sender's socket, set in a
# handler of EVT_CONN_OPEN, the same files take less than a half of the time (and then, on a busy computer, about one
# answer in 3000 is lost: the association's own thread may take it off the queue before send_c_store does).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
env/bin/python - <<'PYTHON'
import socket
import time
from statistics import median

import pydicom
import pynetdicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pynetdicom import AE, evt

N_FILES = 50
print("pynetdicom", pynetdicom.__version__, "pydicom", pydicom.__version__)


def image(number):
    item, item.file_meta = Dataset(), FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.SOPClassUID = item.file_meta.MediaStorageSOPClassUID = MRImageStorage
    item.SOPInstanceUID = item.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    item.StudyInstanceUID, item.SeriesInstanceUID = generate_uid(), generate_uid()
    item.PatientName, item.PatientID, item.Modality, item.InstanceNumber = "A", "1", "MR", number
    item.Rows, item.Columns, item.SamplesPerPixel, item.PhotometricInterpretation = 32, 32, 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = bytes(2 * 32 * 32)
    return item


def without_delay(event):
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


images = [image(number) for number in range(N_FILES)]
ae = AE()
ae.add_supported_context(MRImageStorage, ExplicitVRLittleEndian)
ae.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda event: 0x0000)])
took = {}
for name, handlers in (("as it is", []), ("TCP_NODELAY", [(evt.EVT_CONN_OPEN, without_delay)])):
    association = ae.associate("127.0.0.1", server.server_address[1], evt_handlers=handlers)
    times = []
    for each in images:
        begun = time.perf_counter()
        if association.send_c_store(each).get("Status") != 0x0000:
            break
        times.append(1000 * (time.perf_counter() - begun))
    association.release()
    took[name] = median(times)
    print(f"{name}: {took[name]:.1f} ms a file (median of {len(times)})")
    assert len(times) >= 5
server.shutdown()
assert took["as it is"] > 40
assert took["TCP_NODELAY"] < took["as it is"] / 2
PYTHON
