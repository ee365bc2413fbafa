"""Find the results in a folder again: the sidecar of each whole one, its page and its thumbnail."""

import logging
import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from urllib.parse import quote

from medunsup.cohort.sidecar import ResultSidecar, SidecarError, UnknownVersionError
from medunsup.core.hints import option
from medunsup.io.bids.names import sidecar_path
from medunsup.io.bids.outputs import Output
from medunsup.io.files.walk import files_below

NOT_UNDERSTOOD = "%s: %s, so its scan is left out of table and page. Make it again with %s."
# Results before version 1 of the sidecar have no thumbnail of their own: it stands at the top of their page.
IN_OLD_PAGE = re.compile(rb'<meta name="thumbnail" content="(data:image/jpeg;base64,[A-Za-z0-9+/=]+)">')
HEAD_BYTES = 40_000

log = logging.getLogger(__name__)
AnySidecar = TypeVar("AnySidecar", bound=ResultSidecar)


@dataclass(frozen=True)
class FoundResult(Generic[AnySidecar]):
    """One whole result: `name` begins its files' names, `file` is the scan's own.

    Both begin with the folders between, as "patient07/". `page` is the address of its page from the folder,
    `thumbnail` a data address; either may be empty.
    """

    name: str
    file: str
    page: str
    thumbnail: str
    sidecar: AnySidecar


def read_results(
    folder: Path, kind: type[AnySidecar], *, record: Output, page: Output, thumbnail: Output
) -> list[FoundResult[AnySidecar]]:
    """Return all whole results in `folder` and below, by name.

    Those that are another program's or broken, or a killed run's in hiding, are passed over; our own that
    cannot be understood are named in the log.
    """
    found = []
    ending = "_" + sidecar_path(Path(record.ending())).name
    for path in (path for path in files_below(folder) if path.name.endswith(ending)):
        try:
            sidecar = kind.read(path)
        except UnknownVersionError as error:
            log.error(NOT_UNDERSTOOD, path, error.why, option("force", True))
            continue
        except SidecarError:
            continue
        stem = path.name.removesuffix(ending)
        place = subfolder(path, folder)
        own_page = path.with_name(f"{stem}_{page.ending()}")
        picture = path.with_name(f"{stem}_{thumbnail.ending()}")
        found.append(
            FoundResult(
                name=place + stem,
                file=place + sidecar.medunsup.scan,
                page=address(own_page, folder),
                thumbnail=read_thumbnail(picture, own_page),
                sidecar=sidecar,
            )
        )
    return found


def subfolder(path: Path, folder: Path) -> str:
    """Return the folders between as "patient07/"; nothing for a name after BIDS, which tells the subject."""
    within = path.parent.relative_to(folder).as_posix()
    return "" if within == "." or path.name.startswith("sub-") else f"{within}/"


def address(page: Path, folder: Path) -> str:
    """Return the address of a scan's page from a page in `folder`; empty if it is not there."""
    return quote(page.relative_to(folder).as_posix()) if page.is_file() else ""


def read_thumbnail(picture: Path, page: Path) -> str:
    """Return a result's thumbnail as a data address, from its file or an older page; empty without one."""
    if picture.is_file():
        return "data:image/jpeg;base64," + b64encode(picture.read_bytes()).decode("ascii")
    if not page.is_file():
        return ""
    with page.open("rb") as file:
        found = IN_OLD_PAGE.search(file.read(HEAD_BYTES))
    return found[1].decode("ascii") if found else ""
