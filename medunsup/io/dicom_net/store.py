"""C-STORE: send files over associations whose presentation contexts are those of the files."""

import socket
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom import dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from medunsup.core.errors import OutputError, UsageError
from medunsup.core.hints import option
from medunsup.io.dicom_net.packages import pynetdicom
from medunsup.io.dicom_net.storable import LABELMAP, Answer, Storable

MOST_CONTEXTS = 128  # of one association, by the standard
CONNECT_S, ANSWER_S = 15.0, 120.0  # archives may write a large file to a slow disk before they answer
DUPLICATE = 0x0111
NO_ANSWER = "{} hung up without an answer. Send again, and look into its log."
NATIVE = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
REASONS = {
    0x0122: "does not take this kind of object",
    0x0124: "does not allow this sender to store",
    0xA7: "has no room",
    0xA9: "finds that the file is not the kind of object it says it is",
    0xC0: "cannot understand the file",
}
TITLES = {
    (1, 3): "does not know the sender {calling}. Have that title entered there, or send under one it knows "
    "with {aet}",
    (1, 7): "is not called {called}. Give its title with {called_option}",
}

Pair = tuple[str, str]  # SOP class, transfer syntax


@dataclass(frozen=True)
class Archive:
    """Where an archive listens, what it is called, and under which title we call."""

    host: str
    port: int
    called: str = "ANY-SCP"
    calling: str = "MEDUNSUP"

    @classmethod
    def parse(cls, to: str, *, called: str, calling: str) -> "Archive":
        """Read "HOST:PORT". Raises UsageError if it is none, or a title is not one."""
        host, _, port = to.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UsageError(f"{option('to', to)}: write HOST:PORT, for example 127.0.0.1:4242.")
        check_title(option("called", called), called)
        check_title(option("aet", calling), calling)
        return cls(host.strip("[]"), int(port), called, calling)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def check_title(given: str, title: str) -> None:
    """Raise UsageError if an AE title, given so, is none: 1 to 16 printable ASCII marks, no backslash."""
    if not 0 < len(title.strip()) <= 16 or not title.isascii() or not title.isprintable() or "\\" in title:
        raise UsageError(f"{given}: AE titles have 1 to 16 letters, digits and marks of ASCII, no backslash.")


def store(files: Sequence[Storable], archive: Archive) -> Iterator[tuple[Storable, Answer]]:
    """Yield what the archive answers to each file. A lost connection costs one file, and is opened again.

    Raises OutputError if no connection comes about at all.
    """
    pairs = sorted({_pair(file) for file in files})
    met = False
    for first in range(0, len(pairs), MOST_CONTEXTS):
        batch = pairs[first : first + MOST_CONTEXTS]
        for file, answer in _store_batch([file for file in files if _pair(file) in batch], batch, archive):
            if answer.status == "not sent" and not met:
                raise OutputError(answer.why)
            met = True
            yield file, answer


def _store_batch(
    files: Sequence[Storable], pairs: Sequence[Pair], archive: Archive
) -> Iterator[tuple[Storable, Answer]]:
    session: _Session | None = None
    try:
        for number, file in enumerate(files):
            answer = None if session is None else session.send(file)
            if session is None or answer is None:
                session = _Session(archive, pairs)
                answer = session.send(file)
            if session.failure:
                for rest in files[number:]:
                    yield rest, Answer("not sent", session.failure)
                return
            yield file, answer or Answer("refused", NO_ANSWER.format(archive))
    finally:
        if session is not None:
            session.close()


class _Session:
    """One association; `failure` says why none came about."""

    def __init__(self, archive: Archive, pairs: Sequence[Pair]) -> None:
        self.archive = archive
        self.is_connected = self.is_accepted = False
        self.failure = self._unknown_host()
        self.association: Any = None
        self.refused: Mapping[Pair, int] = {}
        if not self.failure:
            self._open(pairs)

    def _open(self, pairs: Sequence[Pair]) -> None:
        net = pynetdicom()
        ae = net.AE(ae_title=self.archive.calling)
        ae.connection_timeout = ae.acse_timeout = CONNECT_S
        ae.dimse_timeout = ae.network_timeout = ANSWER_S
        contexts = [net.build_context(sop_class, _proposed(syntax)) for sop_class, syntax in pairs]
        self.association = ae.associate(
            self.archive.host,
            self.archive.port,
            contexts,
            ae_title=self.archive.called,
            evt_handlers=[
                (net.evt.EVT_CONN_OPEN, self._connected),
                (net.evt.EVT_ACCEPTED, self._accepted),
                (net.evt.EVT_CONN_CLOSE, _wake),
            ],
        )
        by_id = {2 * n + 1: pair for n, pair in enumerate(pairs)}  # numbers that pynetdicom gives, in order
        self.refused = {
            by_id.get(context.context_id, ("", "")): context.result
            for context in self.association.rejected_contexts
        }
        self.failure = "" if self.is_accepted else self._why_none()

    def _connected(self, event: Any) -> None:
        self.is_connected = True
        _keep_answers_for_sender(event.assoc.dimse)
        event.assoc.dul.socket.socket.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # else 40 ms a file

    def _accepted(self, event: Any) -> None:
        self.is_accepted = True

    def close(self) -> None:
        """End the association, if there is one."""
        if self.association and self.association.is_established:
            self.association.release()

    def send(self, file: Storable) -> Answer | None:
        """Send one file; None if the association has ended, or there never was one."""
        if self.failure:
            return None
        if _pair(file) in self.refused:
            return Answer("refused", self._why_refused(file))
        if not self.association.is_established:
            return None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                told = self.association.send_c_store(dcmread(file.path))
        except RuntimeError:  # the archive hung up a moment ago
            return None
        except (ValueError, AttributeError, OSError):
            return Answer("refused", "the file cannot be read or encoded. Export or copy it again.")
        return self._answer(told.get("Status"))

    def _answer(self, status: int | None) -> Answer:
        if status is None:
            return Answer("refused", NO_ANSWER.format(self.archive))
        if status == DUPLICATE:
            return Answer("already stored", "the archive keeps what it had")
        if status == 0x0000 or 0xB000 <= status < 0xC000:
            return Answer("accepted", f"with the warning 0x{status:04X}" if status else "")
        why = REASONS.get(status) or REASONS.get(status >> 8) or ("cannot understand the file")
        return Answer("refused", f"{self.archive} {why} (0x{status:04X}).")

    def _why_refused(self, file: Storable) -> str:
        other = f"{option('stow', 'URL')} or {option('orthanc', 'URL')}"
        if self.refused[_pair(file)] == 4 and UID(file.transfer_syntax).is_compressed:
            name = UID(file.transfer_syntax).name
            return f"{self.archive} takes no {file.kind} compressed as {name}. Try {other}."
        binary = ", or write BINARY files (docs/dicom.md)" if file.sop_class == LABELMAP else ""
        return f"{self.archive} takes no {file.kind} by C-STORE. Try {other}{binary}."

    def _unknown_host(self) -> str:
        try:
            socket.getaddrinfo(self.archive.host, self.archive.port)
        except OSError:
            return f"{self.archive}: no computer of that name is known. Check {option('to')}."
        return ""

    def _why_none(self) -> str:
        if not self.is_connected:
            return (
                f"{self.archive}: nothing answers there. Check host and port, that the archive runs, and "
                "that no firewall lies between."
            )
        if not self.association.is_rejected:
            return f"{self.archive}: ended the connection at once. Check that it speaks DICOM, without TLS."
        said = self.association.acceptor.primitive
        told = TITLES.get((said.result_source, said.diagnostic), "refuses the connection: " + said.reason_str)
        words = told.format(
            calling=self.archive.calling,
            called=self.archive.called,
            aet=option("aet"),
            called_option=option("called"),
        )
        return f"{self.archive}: {words}."


def _keep_answers_for_sender(messages: Any) -> None:
    """Have only who waits for an answer take it.

    pynetdicom's own thread looks for requests of the archive, of which there are none, and may take a quick
    answer away instead.
    """
    take = messages.get_msg
    messages.get_msg = lambda block=False: take(block=True) if block else (None, None)


def _wake(event: Any) -> None:
    """Have who waits for an answer hear that none will come."""
    event.assoc.dimse.msg_queue.put((None, None))


def _pair(file: Storable) -> Pair:
    syntax = file.transfer_syntax
    return file.sop_class, NATIVE[0] if syntax in NATIVE else syntax


def _proposed(syntax: str) -> list[str]:
    """List a file's encoding; those of `NATIVE` hold the same and can be turned into each other."""
    return list(NATIVE) if syntax in NATIVE else [syntax]
