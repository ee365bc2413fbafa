"""A made-up brain as an axial DICOM series, and a watcher whose segmentation takes a second."""

import atexit
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.dicom_maker import make_slices, write_slices

QUICK = ["--method", "kmeans", "--set", "max_voxels=1000", "--no-report"]
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_series(image, folder: Path, **tags) -> Path:
    """Write a volume (RAS+) as an axial series with 12 bits."""
    data = np.rint(image.data * (4000 / image.data.max())).astype(np.uint16)[::-1, ::-1]
    x, y, z = image.spacing_mm
    far = image.affine @ [image.shape[0] - 1, image.shape[1] - 1, 0, 1]
    slices = make_slices(
        np.ascontiguousarray(data),
        origin=tuple((LPS @ far)[:3]),
        spacing=(y, x),
        gap=z,
        **{"BodyPartExamined": "HEAD", **tags},
    )
    return write_slices(slices, folder)


class Watcher:
    """`medunsup watch` in a process of its own, with the quick registration of small brains."""

    def __init__(self, words: Sequence[str], log: Path) -> None:
        self.log = log
        script = Path(__file__).with_name("quick_watch.py")
        with log.open("a") as file:
            command = [sys.executable, str(script), "watch", *words, *QUICK]
            self.process = subprocess.Popen(command, stdout=file, stderr=file)
        atexit.register(self.process.kill)  # a test that fails leaves none behind

    def wait_for(self, text: str, seconds: float = 60.0) -> None:
        """Wait until its log holds a text."""
        until = time.monotonic() + seconds
        while text not in self.log.read_text():
            assert time.monotonic() < until, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without notice, as a power cut does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def interrupt(self) -> int:
        """Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)
