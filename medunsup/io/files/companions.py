"""The files that make up one scan where that is more than one: both halves of a pair, and SPM's .mat."""

from pathlib import Path

HALVES = (".hdr", ".img")
MAT = ".mat"
PACKED = (".gz", "")


def files_of(path: Path) -> tuple[Path, ...]:
    """List the files that a scan named by one of them is read from, in a fixed order.

    Of a .hdr/.img pair both halves are listed, whichever was named, and the .mat of their name, in which
    SPM keeps orientation and place. Any other file, or a folder, stands alone. A missing one is not listed,
    unless there is a link to it, as git-annex leaves one.
    """
    found = _stem_and_packing(path)
    if found is None:
        return (path,)
    stem, packing, is_upper = found
    endings = [f"{ending}{packing}" for ending in (*HALVES, MAT)]
    names = [path.with_name(stem + (ending.upper() if is_upper else ending)) for ending in endings]
    return tuple(each for each in names if each.is_file() or each.is_symlink()) or (path,)


def lone_half(path: Path) -> str:
    """Say which half of a .hdr/.img pair is missing, and what lies there under another name; else nothing."""
    found = _stem_and_packing(path)
    if found is None or len(files_of(path)) > 1:
        return ""
    stem, packing, is_upper = found
    own = path.name[len(stem) :].lower().removesuffix(packing)
    other = next(half for half in HALVES if half != own)
    name = stem + (f"{other}{packing}".upper() if is_upper else f"{other}{packing}")
    beside = {each.name for each in path.absolute().parent.iterdir()}
    alike = sorted(
        each for each in beside if each.lower() in {f"{stem}{other}{end}".lower() for end in PACKED}
    )
    what = f" There is {alike[0]}: both must be packed alike, and called alike." if alike else ""
    return f"{path}: its other half is missing. A {own} file needs its {other} beside it, here {name}.{what}"


def spm_mat(path: Path) -> Path | None:
    """Return the .mat beside a .hdr/.img pair, if there is one that is not empty."""
    last = files_of(path)[-1]
    is_mat = MAT in last.name.lower() and last != path and last.is_file()
    return last if is_mat and last.stat().st_size else None


def _stem_and_packing(path: Path) -> tuple[str, str, bool] | None:
    """Split "scan.hdr.gz" into stem and packing, and say whether the ending is in capitals."""
    lower = path.name.lower()
    for packing in PACKED:
        for half in HALVES:
            if lower.endswith(half + packing):
                stem = path.name[: -len(half + packing)]
                return stem, packing, path.name[len(stem) :].isupper()
    return None
