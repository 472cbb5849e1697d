"""The digest of a model's weights: of one file, or of a folder with all that is in it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def digest_of(path: str | os.PathLike[str]) -> str:
    """`sha256:` and the digest of a file, or of a folder: of the names and digests of its files, sorted by name.

    Links to files are followed, links to folders are not. Reading gigabytes takes seconds: call it when a model is
    loaded. Raises OSError for what can't be read.
    """
    root = Path(path)
    if not root.is_dir():
        return f"sha256:{_file(root)}"
    listing = hashlib.sha256()
    paths = [Path(folder, name) for folder, _, files in os.walk(root, onerror=_raise) for name in files]
    for name, file in sorted((path.relative_to(root).as_posix(), path) for path in paths):
        if file.is_file() or file.is_symlink():  # a link that leads nowhere is an error, a socket is not
            listing.update(f"{_file(file)}  {name}\n".encode("utf-8", "surrogateescape"))
    return f"sha256:{listing.hexdigest()}"


def _file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _raise(error: OSError) -> None:
    raise error
