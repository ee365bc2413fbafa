"""Batches gathered and sent to the device ahead of the step that needs them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import torch

from medunsup.training.datasets import Dataset, Draws, Positions
from medunsup.training.learner import Batch

AHEAD = 2

Wanted = TypeVar("Wanted")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Request:
    """A batch to be gathered: its items, and what their random numbers follow from."""

    items: Positions
    draws: Draws


@dataclass(frozen=True)
class Piece:
    """Piece `number` of a batch: its rows are those from `first` on, and `share` of all."""

    number: int
    batch: Batch
    first: int
    share: float


@dataclass(frozen=True)
class Work:
    """What one process does of a batch of `items`; `sent` is when its pieces are on the device."""

    items: Positions
    pieces: tuple[Piece, ...]
    sent: Any = None


class Feed:
    """Gathers the pieces of batches that fall to one process, and sends them to its device.

    `workers` threads gather, each with transforms of its own.
    """

    def __init__(
        self,
        dataset: Dataset,
        device: torch.device,
        *,
        parts: int = 1,
        rank: int = 0,
        processes: int = 1,
        workers: int = 1,
    ) -> None:
        self.device = device
        self._parts, self._mine = parts, range(rank, parts, processes)
        self._workers = workers if dataset.transforms.is_own else 0
        self._readers: SimpleQueue[Dataset] = SimpleQueue()
        for _ in range(max(1, self._workers)):
            self._readers.put(dataset.reader())
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    @contextmanager
    def works(self, requests: Iterable[Request]) -> Iterator[Iterator[Work]]:
        """Yield the work of each request, in order, made in threads before it is asked for.

        A transform that draws from the random numbers of the whole process works when asked, not ahead.
        """
        with made_ahead(self._gather, requests, threads=self._workers) as works:
            yield map(self._received, works)

    def _gather(self, request: Request) -> Work:
        """Gather, and send; on a CUDA device in a stream of its own, beside the step before."""
        reader = self._readers.get()
        try:
            items, pieces = request.items, tuple(self._pieces(reader, request))
        finally:
            self._readers.put(reader)
        if self._stream is None:
            return Work(items, tuple(replace(piece, batch=piece.batch.to(self.device)) for piece in pieces))
        with torch.cuda.device(self.device), torch.cuda.stream(self._stream):
            sent = tuple(replace(piece, batch=piece.batch.each(self._send)) for piece in pieces)
            return Work(items, sent, self._stream.record_event())

    def _pieces(self, reader: Dataset, request: Request) -> Iterator[Piece]:
        rows = np.array_split(np.arange(len(request.items)), self._parts)
        for n in self._mine:
            first, draws = int(rows[n][0]), request.draws
            batch = reader.batch(request.items[rows[n]], replace(draws, first=draws.first + first))
            yield Piece(n, batch, first, len(rows[n]) / len(request.items))

    def _send(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.pin_memory().to(self.device, non_blocking=True)

    def _received(self, work: Work) -> Work:
        """Let the step wait for its batch, and keep the batch's memory until the step is done with it."""
        if self._stream is not None:
            current = torch.cuda.current_stream(self.device)
            current.wait_event(work.sent)
            for piece in work.pieces:
                for view in piece.batch.views:
                    view.values.record_stream(current)
                    view.masks.record_stream(current)
        return work


@contextmanager
def made_ahead(
    make: Callable[[Wanted], Made], requests: Iterable[Wanted], *, threads: int = 1
) -> Iterator[Iterator[Made]]:
    """Yield what `make` makes of each request, in order; at least two are made before they are due.

    Without threads each is made when it is asked for. An error of `make` is raised where its result is taken.
    On leaving, what was made ahead is dropped.
    """
    if threads == 0:
        yield map(make, requests)
        return
    left = iter(requests)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="medunsup-feed")
    pending: deque[Future[Made]] = deque()

    def results() -> Iterator[Made]:
        pending.extend(pool.submit(make, request) for request in islice(left, max(AHEAD, threads)))
        while pending:
            made = pending.popleft().result()
            pending.extend(pool.submit(make, request) for request in islice(left, 1))
            yield made

    try:
        yield results()
    finally:
        pool.shutdown(cancel_futures=True)
