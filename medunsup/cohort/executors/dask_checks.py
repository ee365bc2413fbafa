"""Whether a scheduler of Dask and its workers can be used, asked before anything is given to them.

A client of Dask ends in a TypeError where the scheduler is of another version, and may hold the process for
40 seconds more; so the scheduler is asked for its versions before there is a client.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from medunsup.core.errors import DependencyError, OutputError
from medunsup.core.hints import option
from medunsup.core.version import __version__

MUST_AGREE = ("python", "distributed", "dask", "msgpack", "cloudpickle")


def check_scheduler(where: str, timeout_s: float) -> None:
    """Raise OutputError if no scheduler answers there, DependencyError if it runs other versions."""
    from distributed import rpc

    async def ask() -> Any:
        async with rpc(where, timeout=timeout_s) as scheduler:
            return await asyncio.wait_for(scheduler.versions(), timeout_s)

    try:
        found = asyncio.run(ask())
    except Exception as error:
        raise no_scheduler(where, error) from error
    _check_same(where, "the scheduler", found["packages"])


def check_workers(client: Any, where: str) -> None:
    """Raise OutputError if there is no worker, DependencyError if one runs other versions."""
    found = client.get_versions(check=False)["workers"]
    if not found:
        raise OutputError(f"{where}: has no workers. Start some: `dask worker {where} --nthreads 1`.")
    for address, theirs in found.items():
        _check_same(where, address, theirs["packages"])
    try:
        versions = on_workers(client, _own_version)
    except Exception as error:
        raise DependencyError(
            f"{where}: its workers cannot use medunsup ({short(error)}). Install medunsup {__version__} in "
            "their environment."
        ) from error
    other = next((address for address, version in versions.items() if version != __version__), None)
    if other is not None:
        raise DependencyError(
            f"{where}: {other} has medunsup {versions[other]}, and this process {__version__}. Install the "
            "same in both."
        )


def no_scheduler(where: str, error: Exception) -> OutputError:
    """Say that no scheduler answers."""
    return OutputError(
        f"{where}: no Dask scheduler answers ({short(error)}). Check the address ({option('workers')}), and "
        "that it runs and can be reached from here."
    )


def on_workers(client: Any, function: Any, *given: Any) -> dict[str, Any]:
    """Call a function in every worker, and return what it returned by address."""
    return dict(client.run(function, *given))


def short(error: Exception) -> str:
    """Return an error in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def _check_same(where: str, who: str, theirs: Mapping[str, Any]) -> None:
    from distributed.versions import get_versions

    own = get_versions()["packages"]
    for name in MUST_AGREE:
        if _release(theirs.get(name)) != _release(own.get(name)):
            raise DependencyError(
                f"{where}: {who} runs {name} {theirs.get(name)}, and this process {own.get(name)}. Start "
                "scheduler, workers and this command in the same environment."
            )


def _release(version: Any) -> str:
    """Return what must agree of a version: of Python's, 3.11.7.final.0, the first two numbers."""
    text = str(version)
    return ".".join(text.split(".")[:2]) if text.endswith(".final.0") else text


def _own_version() -> str:
    return __version__
