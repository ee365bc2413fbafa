"""BIDS: names, filters, and the files that all results of a derivative share."""

from medunsup.core.lazy import attach

__getattr__, __dir__ = attach(__name__, {"contrast_of_name": "medunsup.io.bids.names"})
