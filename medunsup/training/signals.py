"""Stopping at any moment: a signal is noted, the batch in hand finished, then the checkpoint written."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from medunsup.core.errors import MedunsupError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StoppedError(MedunsupError):
    """Training was asked to stop by the signal `number` and did; its checkpoint, if any, is complete."""

    def __init__(self, text: str, number: int = signal.SIGINT) -> None:
        super().__init__(text)
        self.number = number


class StopRequest:
    """Whether a signal has asked to stop, and which."""

    def __init__(self) -> None:
        self.is_made = False
        self.number: int = signal.SIGINT


@contextmanager
def stop_on_signal(*, active: bool = True, insist: bool = True) -> Iterator[StopRequest]:
    """Note SIGINT and SIGTERM instead of dying from them.

    If one may `insist`, the second signal acts as it did before. Outside the main thread, or where not
    `active`, signals are left as they are.
    """
    request = StopRequest()
    if not active or threading.current_thread() is not threading.main_thread():
        yield request
        return

    def note(number: int, frame: FrameType | None) -> None:
        request.is_made, request.number = True, number
        if insist:
            signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
