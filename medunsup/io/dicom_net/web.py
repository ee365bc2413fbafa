"""Files sent by HTTP: STOW-RS to a DICOMweb archive, or Orthanc's own interface."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from pydicom import dcmread

from medunsup.core.errors import OutputError, UsageError
from medunsup.io.dicom_net.packages import dicomweb_client, requests
from medunsup.io.dicom_net.storable import Answer, Storable

TIMEOUT_S = (15.0, 120.0)  # to connect, to answer
DUPLICATE = 0x0111
NO_ROOM = range(0xA700, 0xA800)

Send = Callable[[Storable], Answer]


def check_url(given: str, url: str) -> str:
    """Return a URL, given by that option, without the slash at its end.

    Raises UsageError if it is none, or holds a user's name.
    """
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        raise UsageError(f"{given}: give the archive's address, such as http://127.0.0.1:8042.")
    if parts.username is not None:
        raise UsageError(f"{given}: holds a user's name. Put user and password into ~/.netrc instead.")
    return url.rstrip("/")


def stow(files: Sequence[Storable], url: str) -> Iterator[tuple[Storable, Answer]]:
    """Yield what a DICOMweb archive answers to each file (STOW-RS).

    Raises OutputError if nothing answers there.
    """
    client = dicomweb_client().DICOMwebClient(url, timeout=TIMEOUT_S)
    client.set_http_retry_params(retry=False)

    def send(file: Storable) -> Answer:
        return _stored(client.store_instances([dcmread(file.path)]))

    return _each(files, url, send)


def orthanc(files: Sequence[Storable], url: str) -> Iterator[tuple[Storable, Answer]]:
    """Yield what an Orthanc answers to each file by its own interface, which takes every kind of object.

    Raises OutputError if nothing answers there.
    """
    session = requests().Session()

    def send(file: Storable) -> Answer:
        headers = {"Content-Type": "application/dicom"}
        content = file.path.read_bytes()
        answer = session.post(f"{url}/instances", content, headers=headers, timeout=TIMEOUT_S)
        answer.raise_for_status()
        if answer.json()["Status"] == "AlreadyStored":
            return Answer("already stored", "the archive keeps what it had")
        return Answer("accepted")

    return _each(files, url, send)


def _each(files: Sequence[Storable], url: str, send: Send) -> Iterator[tuple[Storable, Answer]]:
    """Send one by one; once the archive has answered, a connection that is lost costs its file alone."""
    net = requests()
    for number, file in enumerate(files):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                answer = send(file)
        except net.HTTPError as error:
            answer = _refused(error.response, url)
        except net.RequestException as error:
            lost = f"{url}: nothing answers there ({type(error).__name__}). Check address and archive."
            if number == 0:
                raise OutputError(lost) from error
            answer = Answer("not sent", lost)
        except (OSError, ValueError, KeyError, AttributeError):
            answer = Answer("refused", f"{url}: file or answer cannot be understood. Check the address.")
        yield file, answer


def _stored(told: Any) -> Answer:
    """Read the answer to STOW-RS of one file."""
    failed = told.get("FailedSOPSequence") or ()
    code = int(failed[0].get("FailureReason") or 0) if failed else 0
    if code == DUPLICATE:
        return Answer("already stored", "the archive keeps what it had")
    if failed:
        room = " (it has no room)" if code in NO_ROOM else ""
        return Answer("refused", f"the archive names the reason 0x{code:04X}{room}.")
    stored = told.get("ReferencedSOPSequence") or ()
    if not stored:
        return Answer("refused", "the archive does not say that it stored the file.")
    warning = int(stored[0].get("WarningReason") or 0)
    return Answer("accepted", f"with the warning 0x{warning:04X}" if warning else "")


def _refused(response: Any, url: str) -> Answer:
    code = response.status_code
    if code in (401, 403):
        return Answer("refused", f"{url}: wants a user who may store. Put name and password into ~/.netrc.")
    if code in (404, 405):
        return Answer("refused", f"{url}: stores nothing under this address (HTTP {code}). Check it.")
    return Answer("refused", f"{url}: refuses the file (HTTP {code}).")
