"""Zips as people make them: which members are files of the export, and what they are called."""

import zipfile
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from rollcall.contracts.project import DATA_ENDINGS
from rollcall.sanitize import readable_name

_CLUTTER = ("__macosx", "thumbs.db", "desktop.ini")


class UnsafeZipError(Exception):
    """The members of a zip cannot be told apart or lead elsewhere; the message says why."""


def is_clutter(name: str, ignored: Iterable[str] = ()) -> bool:
    """Say whether a name, with its folders, is what a computer adds or a source has ignored.

    Args:
        name: the name, with `/` between folders.
        ignored: patterns such as `*.md5`, compared without case with the whole and the last part.
    """
    parts = name.lower().split("/")
    if any(part.startswith(".") or part in _CLUTTER for part in parts):
        return True
    return any(
        fnmatchcase(text, pattern.lower())
        for pattern in ignored
        for text in (name.lower(), parts[-1])
    )


def split_members(
    archive: zipfile.ZipFile, ignored: Iterable[str]
) -> tuple[list[tuple[str, zipfile.ZipInfo]], list[str]]:
    """Split the members of a zip: the files in the folder of its data files, and what is aside.

    Returns:
        The files with the names they have in that folder, and the names of what is passed over.

    Raises:
        UnsafeZipError: a member leads out of the zip, or CSV files stand in several folders.
    """
    ignored = tuple(ignored)
    files, aside = [], []
    for info in archive.infolist():
        folder, name = _split(info.filename)
        if info.filename.endswith(("/", "\\")):
            continue
        if is_clutter(f"{folder}{name}", ignored):
            aside.append(f"{folder}{name}")
        else:
            files.append((folder, name, info))
    by_ending = ([file for file in files if file[1].lower().endswith(end)] for end in DATA_ENDINGS)
    data = next(filter(None, by_ending), files)
    folders = sorted({folder for folder, _, _ in data})
    if len(folders) > 1:
        named = ", ".join(f"'{readable_name(folder) or '/'}'" for folder in folders[:5])
        raise UnsafeZipError(
            f"The zip holds files in {len(folders)} folders ({named}); put all into one."
        )
    aside += [f"{folder}{name}" for folder, name, _ in files if [folder] != folders]
    return [(name, info) for folder, name, info in files if [folder] == folders], aside


def members_called(
    archive: zipfile.ZipFile, wanted: Iterable[tuple[str, int]]
) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the members with one of some readable names and sizes, in whatever folder."""
    wanted = set(wanted)
    for info in archive.infolist():
        name = readable_name(_split(info.filename)[1])
        if (name, info.file_size) in wanted:
            yield name, info


def _split(path: str) -> tuple[str, str]:
    """Split the path of a member into its folder, with a `/` behind it, and its name.

    Raises:
        UnsafeZipError: the path leads out of the zip, or has no name.
    """
    parts = [part for part in path.replace("\\", "/").split("/") if part != "."]
    if parts[-1:] == [""]:
        parts.pop()
    if not parts or ".." in parts or "" in parts or parts[0].endswith(":"):
        raise UnsafeZipError("The zip holds a path that leads out of it.")
    return "".join(f"{part}/" for part in parts[:-1]), parts[-1]
