"""The files through which jobs and the process that waits for them talk, in one folder."""

import secrets
from pathlib import Path

from medunsup.cohort.executors.run_folder import run_folder

TASK, SCRIPT = "task.pickle", "script.sh"
RESULT, SAID, EXIT, LOG, ITEMS = ".result", ".said", ".exit", ".log", ".items"


def new_folder(root: Path) -> Path:
    """Name a folder for jobs whose results go to `root`."""
    return jobs_folder(root) / secrets.token_hex(6)


def jobs_folder(root: Path) -> Path:
    """Return where the folders of jobs lie."""
    return run_folder(root) / "slurm"


def left_folders(root: Path) -> list[Path]:
    """List the folders of jobs that runs have left."""
    home = jobs_folder(root)
    return sorted(path for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def numbered(folder: Path, ending: str) -> dict[int, Path]:
    """Find the files of one kind by their number."""
    found = (path for path in folder.iterdir() if path.suffix == ending and path.stem.isdigit())
    return {int(path.stem): path for path in found}


def at_work(folder: Path) -> list[str]:
    """Name the items that were begun in jobs and have no result, as `one_line` writes them.

    The run may end and clear the folder meanwhile: then none is.
    """
    try:
        done = numbered(folder, RESULT)
        begun = [path for n, path in sorted(numbered(folder, SAID).items()) if n not in done]
        said = [path.read_text(encoding="utf-8").splitlines() for path in begun]
    except OSError:
        return []
    return [lines[0] for lines in said if lines]


def one_line(text: str) -> str:
    """Write what an item is called, or says, as a line of its file."""
    return " ".join(text.split())
