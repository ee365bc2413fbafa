"""How long the rest of many like items takes, by those that were done last."""

from collections import deque
from collections.abc import Callable
from time import monotonic

RECENT = 16  # so that items kept from an earlier run, which take no time, are soon forgotten


class Pace:
    """Counts items as they are done, one after the other or several at a time."""

    def __init__(self, n_items: int, clock: Callable[[], float] = monotonic) -> None:
        self.n_items, self.n_done = n_items, 0
        self._clock = clock
        self._times = deque([clock()], maxlen=RECENT + 1)

    def done(self, *, took_time: bool = True) -> float | None:
        """Count one more and return the seconds left; None after the last, or before any took time.

        What took no time (it was done already) tells nothing of those to come.
        """
        self.n_done += 1
        if took_time:
            self._times.append(self._clock())
        else:
            self._times[-1] = self._clock()
        n_left, n_timed = self.n_items - self.n_done, len(self._times) - 1
        if n_left <= 0 or not n_timed:
            return None
        return (self._times[-1] - self._times[0]) / n_timed * n_left
