"""PEM that a setting names: a path, or the text itself, which came from the environment."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


def is_text(setting: str) -> bool:
    """Whether it is the text itself, and not a path."""
    return setting.startswith("-----BEGIN ")


@contextmanager
def on_disk(setting: str) -> Iterator[str]:
    """A path for OpenSSL, which reads a key from files only; PEM text lies in one for the moment, ours alone."""
    if not is_text(setting):
        yield setting
        return
    with tempfile.NamedTemporaryFile("w", encoding="ascii", errors="replace") as file:
        file.write(setting)
        file.flush()
        yield file.name


def stamp(path: str) -> tuple[int, ...] | None:
    """What tells that a file has changed, its permissions too; a mounted volume swaps whole files. None: it cannot be
    looked at.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
