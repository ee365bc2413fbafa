"""Send DICOM files to an archive, once each."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from medunsup.core.errors import InputError, UsageError
from medunsup.core.hints import option
from medunsup.core.paths import user_path
from medunsup.io.dicom_net.storable import Answer, Storable, dicom_files, read_storable
from medunsup.io.dicom_net.store import Archive, store
from medunsup.io.dicom_net.web import check_url, orthanc, stow
from medunsup.workflows.send.record import Record
from medunsup.workflows.send.result import SendResult, SentFile

Answers = Iterator[tuple[Storable, Answer]]
Sender = Callable[[Sequence[Storable]], Answers]
SAME_UID = "it has another file of this identifier, and archives keep the first. Make the results again"


def send(
    paths: str | Path | Sequence[str | Path],
    *,
    to: str | None = None,
    stow: str | None = None,
    orthanc: str | None = None,
    aet: str = "MEDUNSUP",
    called: str = "ANY-SCP",
    force: bool = False,
) -> SendResult:
    """Send DICOM files to an archive, and say what it took, what it refused and why.

    What an archive took is noted in a hidden file `.medunsup_sent.tsv` beside the files, so that a second
    call sends only the rest. Needs the extra `dicom-net`. Only addresses with https are encrypted.

    Parameters
    ----------
    paths : str, Path or sequence of these
        DICOM files, or folders with such files in them and below. Other files in folders are left out.
    to : str, optional
        Archive that is sent to by C-STORE, "HOST:PORT". One of `to`, `stow` and `orthanc` is given.
    stow : str, optional
        Address of a DICOMweb archive that is sent to by STOW-RS, such as "http://127.0.0.1:8042/dicom-web".
    orthanc : str, optional
        Address of an Orthanc that is sent to by its own interface, which takes every kind of object, such as
        "http://127.0.0.1:8042".
    aet : str, default 'MEDUNSUP'
        Our own title, which the archive may have to know (AE title, 1 to 16 characters).
    called : str, default 'ANY-SCP'
        Title of the archive. Many take any.
    force : bool, default False
        Send what the archive took before as well.

    Returns
    -------
    SendResult
        `files` holds what became of each file; `n_not_taken` counts those that the archive has not.

    Raises
    ------
    UsageError
        If address or title are none, or not exactly one archive is named.
    MissingError
        If a path is not there.
    InputError
        If there is no DICOM file.
    OutputError
        If nothing answers at the address, or the archive refuses the connection.
    DependencyError
        If the packages for DICOM networks are not installed.

    Examples
    --------
    >>> import medunsup
    >>> try:
    ...     medunsup.send("scan.nii.gz", to="127.0.0.1:4242")
    ... except medunsup.MedunsupError as error:
    ...     print(error)
    scan.nii.gz: is not a DICOM file, and archives take nothing else.
    """
    name, sender = _sender(to, stow, orthanc, aet=aet, called=called)
    given = [paths] if isinstance(paths, str | Path) else paths
    roots = [user_path(path) for path in given]
    files = dicom_files(roots)
    if not files:
        where = ", ".join(map(str, roots)) or "nothing"
        raise InputError(f"{where}: holds no DICOM file. How results become such is told in docs/dicom.md.")
    folders = {file: _folder_of(file, roots) for file in files}
    return SendResult(name, _send(files, folders, Record(name), sender, force=force))


def _sender(
    to: str | None, stow_url: str | None, orthanc_url: str | None, *, aet: str, called: str
) -> tuple[str, Sender]:
    """Name the archive and say how files get there."""
    if sum(each is not None for each in (to, stow_url, orthanc_url)) != 1:
        ways = (option("to", "HOST:PORT"), option("stow", "URL"), option("orthanc", "URL"))
        raise UsageError(f"Name one archive: {ways[0]}, {ways[1]} or {ways[2]}.")
    if to is not None:
        archive = Archive.parse(to, called=called, calling=aet)
        return f"{archive} {called}", lambda files: store(files, archive)
    if stow_url is not None:
        url = check_url(option("stow"), stow_url)
        return url, lambda files: stow(files, url)
    url = check_url(option("orthanc"), str(orthanc_url))
    return url, lambda files: orthanc(files, url)


def _send(
    paths: Sequence[Path], folders: dict[Path, Path], record: Record, sender: Sender, *, force: bool
) -> tuple[SentFile, ...]:
    """Send what is not taken yet, noting each file as soon as the archive has it."""
    became: dict[Path, SentFile] = {}
    todo: list[Storable] = []
    for path in paths:
        try:
            file = read_storable(path)
        except InputError as error:
            became[path] = SentFile(path, "DICOM file", "refused", str(error).removeprefix(f"{path}: "))
            continue
        if not force and record.has(file, folders[path]):
            became[path] = SentFile(path, file.kind, "sent before")
        elif not force and record.has_other(file, folders[path]):
            became[path] = SentFile(
                path, file.kind, "refused", f"{SAME_UID}, or add {option('force', True)}."
            )
        else:
            todo.append(file)
    for file, answer in sender(todo) if todo else ():
        became[file.path] = SentFile(file.path, file.kind, answer.status, answer.why)
        if became[file.path].is_taken:
            record.add(file, folders[file.path])
    return tuple(became[path] for path in paths)


def _folder_of(file: Path, roots: Sequence[Path]) -> Path:
    """Name the folder whose record a file is in: the one that was given, or the file's own."""
    return next((root for root in roots if root.is_dir() and file.is_relative_to(root)), file.parent)
