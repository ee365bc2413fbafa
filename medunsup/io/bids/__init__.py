"""BIDS: names, filters, and the files that all results of a derivative share."""
