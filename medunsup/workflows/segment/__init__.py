"""`segment`: from scans to tissue volumes, maps and a page."""
