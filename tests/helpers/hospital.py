"""What documented commands of the network need around them: an archive to send to, a scanner that sends."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

import medunsup


def value(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


@contextmanager
def archive_of(words: Sequence[str]) -> Iterator[None]:
    """Have an archive listen where `medunsup send` sends to, if it is such a command."""
    if "--to" not in words:
        yield
        return
    host, _, port = value(words, "--to").rpartition(":")
    ae = AE(value(words, "--called"))
    ae.require_called_aet = True
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, ALL_TRANSFER_SYNTAXES)
    ae.start_server((host, int(port)), block=False, evt_handlers=[(evt.EVT_C_STORE, lambda event: 0x0000)])
    try:
        yield
    finally:
        ae.shutdown()


def listens(words: Sequence[str]) -> bool:
    """Whether a command goes on until Ctrl-C, waiting for who sends."""
    return words[1] == "watch" and "--folder" not in words


def run_listener(words: Sequence[str], folder: Path, series: str) -> str:
    """Run such a command, send it a series, wait for the result, press Ctrl-C; return what it said."""
    log = folder / "watch.log"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with log.open("w") as file:
        command = ["bash", "-c", "exec " + shlex.join(words)]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=file, stderr=file)
    try:
        _wait_for(log, "Listening", process)
        address = f"127.0.0.1:{value(words, '--port')}"
        sent = medunsup.send(folder / series, to=address, called=value(words, "--aet"))
        assert sent.n_not_taken == 0
        _wait_for(log, "series-", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        if process.poll() is None:
            process.kill()
    return log.read_text()


def _wait_for(log: Path, text: str, process: subprocess.Popen) -> None:
    until = time.monotonic() + 300
    while text not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)
