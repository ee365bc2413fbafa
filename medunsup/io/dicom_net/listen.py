"""A storage SCP: takes objects from named senders, and answers Success once each is safely kept.

What comes is never trusted: lengths are bounded, nothing of it is logged but the sender's address, and what
cannot be understood is refused.
"""

import errno
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from medunsup.core.errors import InputError, OutputError, UsageError
from medunsup.core.hints import option
from medunsup.io.dicom_net.packages import pynetdicom
from medunsup.io.dicom_net.received import Received, identify

MOST_ASSOCIATIONS = 10
MOST_BYTES = 2 * 1024**3  # of one object: more cannot be uncompressed pixels of one file
LONGEST_PDU = 1024**2  # ours are 16 KiB; a request with 128 contexts has some 60 KiB
KINDS_OF_PDU = range(1, 8)
SILENCE_S = 30.0  # a sender that stops in the middle of something is hung up on
QUIET_LOG_S = 60.0  # the same refusal is logged once in that time
SUCCESS, NO_ROOM, OTHER_OBJECT, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000
DEFLATED = "1.2.840.10008.1.2.1.99"  # unpacks to any size

Keep = Callable[[Received, bytes], None]
Heard = Callable[[Received], None]

log = logging.getLogger(__name__)


@contextmanager
def listening(
    title: str, host: str, port: int, senders: Sequence[str], keep: Keep, heard: Heard
) -> Iterator[int]:
    """Take objects while the block runs; yield the port.

    `keep(received, content)` must have the object on disk when it returns; `heard(received)` is called
    whenever more comes from who sent that object. Any sender is taken if none is named.

    Raises UsageError if the port is in use or not allowed, or the address is not this computer's.
    """
    net = pynetdicom()
    ae = net.AE(ae_title=title)
    ae.require_called_aet = True
    ae.require_calling_aet = list(senders)
    ae.maximum_associations = MOST_ASSOCIATIONS
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = SILENCE_S
    syntaxes = [each for each in net.ALL_TRANSFER_SYNTAXES if each != DEFLATED]
    for context in net.AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, syntaxes)
    ae.add_supported_context("1.2.840.10008.1.1")  # C-ECHO: whether somebody is there
    hall = _Hall(title, senders, keep, heard)
    handlers = [
        (net.evt.EVT_CONN_OPEN, hall.on_connection),
        (net.evt.EVT_PDU_RECV, hall.on_data),
        (net.evt.EVT_CONN_CLOSE, hall.on_end),
        (net.evt.EVT_REJECTED, hall.on_rejected),
        (net.evt.EVT_C_STORE, hall.on_store),
    ]
    try:
        server = ae.start_server((host, port), block=False, evt_handlers=handlers)
    except OSError as error:
        raise UsageError(_why_not(host, port, error)) from error
    try:
        yield server.server_address[1]
    finally:
        ae.shutdown()


class _Hall:
    """What is done at each event of an association."""

    def __init__(self, title: str, senders: Sequence[str], keep: Keep, heard: Heard) -> None:
        self.title, self.senders = title, senders
        self.keep, self.heard = keep, heard
        self.told: dict[str, float] = {}

    def on_connection(self, event: Any) -> None:
        """Bound what the connection may send at once, and how long it may be silent in the middle."""
        link = event.assoc.dul.socket
        link.socket.settimeout(SILENCE_S)
        link.recv = _Bounded(link, lambda: self._tell(event, "sent what is not DICOM. It was hung up on"))

    def on_data(self, event: Any) -> None:
        """Note that more comes, and hang up where one object never ends."""
        association = event.assoc
        association.n_bytes = getattr(association, "n_bytes", 0) + getattr(event.pdu, "pdu_length", 0)
        if association.n_bytes > MOST_BYTES:
            self._tell(event, f"sent an object of more than {MOST_BYTES >> 30} GiB. It was hung up on")
            association.dul.socket.close()
        last = getattr(association, "last_received", None)
        if last is not None:
            self.heard(last)

    def on_rejected(self, event: Any) -> None:
        """Say which of the titles was wrong; the title itself is the sender's and stays out of the log."""
        asked = event.assoc.requestor.primitive
        if asked is None or str(asked.called_ae_title).strip() != self.title:
            why = f"called another title than {self.title}"
        elif self.senders and str(asked.calling_ae_title).strip() not in self.senders:
            why = f"has a title that {option('senders')} does not name"
        else:
            why = f"came while {MOST_ASSOCIATIONS} others were connected"
        self._tell(event, f"{why}, and was refused")

    def on_end(self, event: Any) -> None:
        """Say that somebody came who did not even ask for an association."""
        if event.assoc.requestor.primitive is None:
            self._tell(event, "connected without speaking DICOM")

    def on_store(self, event: Any) -> int:
        """Keep one object, and return the status to answer."""
        association = event.assoc
        association.n_bytes = 0
        try:
            content = event.encoded_dataset()
            received = identify(content)
            if _differs(event.request, received):
                self._tell(event, "sent an object that is another than it was announced as. It was refused")
                return OTHER_OBJECT
            self.keep(received, content)
        except InputError as error:
            self._tell(event, f"{error}. It was refused")
            return NOT_UNDERSTOOD
        except (OutputError, OSError, MemoryError) as error:
            self._tell(event, f"an object could not be stored and was refused. {error}")
            return NO_ROOM
        except Exception as error:  # noqa: BLE001 - whatever a stranger sent must not end the listener
            self._tell(event, f"an object was refused ({type(error).__name__})")
            return NOT_UNDERSTOOD
        association.last_received = received
        return SUCCESS

    def _tell(self, event: Any, text: str) -> None:
        """Log a refusal, the same one not more than once a minute, so that no sender fills the log."""
        now = monotonic()
        line = f"{event.assoc.requestor.address}: {text.rstrip('.')}."
        if now - self.told.get(line, -QUIET_LOG_S) >= QUIET_LOG_S:
            if len(self.told) > 1000:
                self.told.clear()
            self.told[line] = now
            log.warning("%s", line)


class _Bounded:
    """Reads for a connection, by turns the start of a message (its kind and length) and the rest of it."""

    def __init__(self, link: Any, tell: Callable[[], None]) -> None:
        self.link, self.receive, self.tell = link, link.recv, tell
        self.is_start = False

    def __call__(self, n_bytes: int) -> Any:
        """Read as many bytes, or hang up on what no sender of DICOM sends."""
        self.is_start = not self.is_start
        content = self.receive(n_bytes) if n_bytes <= LONGEST_PDU else b""
        is_strange = self.is_start and content and content[0] not in KINDS_OF_PDU
        if n_bytes > LONGEST_PDU or is_strange:
            self.tell()
            self.link.close()
            raise OSError(errno.EPROTO, "not DICOM")
        return content


def _differs(request: Any, received: Received) -> bool:
    announced = (str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID))
    return announced != (received.sop_class, received.instance)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use. Choose another with {option('port')}."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"port {port} is kept for the system. Choose one above 1023 with {option('port')}."
    return f"{host}:{port}: cannot be listened on ({error.strerror or error}). Check {option('host')}."
