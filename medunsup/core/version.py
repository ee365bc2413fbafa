"""The version of medunsup, written down once: packaging, sidecars and reports read it here."""

__version__ = "0.2.0"
