"""What a worker says; in a module that a spawned process can import by name."""

from medunsup.core.hints import option, traceback_hint


def say_hints(item, say):
    """The words for `force` and for the traceback, as a user of this process would read them."""
    return option("force", True), traceback_hint()
