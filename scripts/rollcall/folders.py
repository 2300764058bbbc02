"""Folders that are replaced as a whole, and what is written to be on disk."""

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


def sync(path: Path) -> None:
    """Have what is written of a file, or the names in a folder, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
