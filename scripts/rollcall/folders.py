"""Folders that are replaced as a whole, and files that are on disk or their owner's alone."""

import os
import shutil
from pathlib import Path


def put_in_place(making: Path, folder: Path) -> None:
    """Exchange two folders side by side, so that `folder` is there whole or not at all."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    making.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def keep_to_owner(path: Path) -> None:
    """Take a file that is being written from all but its owner: it may have been there before."""
    if path.is_file():
        path.chmod(0o600)


def sync(path: Path) -> None:
    """Have what is written of a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
