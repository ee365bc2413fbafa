"""What to type for a package that is not always installed."""


def install(extra: str) -> str:
    """Return the command that brings an extra's packages, for the folder of the source tree."""
    return f"pip install -c constraints.txt '.[{extra}]'"
