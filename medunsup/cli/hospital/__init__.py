"""Verbs of the hospital's network: what goes to archives, and what comes from them."""
