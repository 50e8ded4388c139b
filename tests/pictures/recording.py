"""A real run of a command in a terminal, with the time of everything that it printed.

The file is an asciicast (version 2: a line of JSON for the terminal, then one for each piece of output), so that other
players play it too. What tells of the machine is replaced while it is recorded; a recording that still has its name,
its user's home or the place of the repository is refused.
"""

import fcntl
import os
import pty
import re
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from tests.pages.links import ROOT

COLUMNS, ROWS = 100, 27
_SOCKETS = re.compile(r"/tmp/streamhooks-\w{8}/")
"""Where the embedded server listens: another folder in every run."""

_PATH = "/usr/local/bin:/usr/bin:/bin"


class RecordingError(Exception):
    """A run that did not end well, or that tells of the machine."""


class Header(Struct, frozen=True):
    """The terminal, and what was run in it."""

    version: int
    width: int
    height: int
    title: str


Piece = tuple[float, str, str]
"""Seconds since the start, "o" for output, and the text."""


class Recording(Struct, frozen=True):
    """What was printed, and when."""

    header: Header
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return "".join(text for _, _, text in self.pieces)


def read(path: Path) -> Recording:
    """A recording of a file."""
    first, *others = path.read_bytes().splitlines()
    pieces = tuple(msgspec.json.decode(line, type=Piece) for line in others)
    return Recording(msgspec.json.decode(first, type=Header), pieces)


def written(recording: Recording) -> bytes:
    """A recording as a file."""
    lines = [msgspec.json.encode(part) for part in (recording.header, *recording.pieces)]
    return b"".join(line + b"\n" for line in lines)


def record(command: Sequence[str]) -> Recording:
    """Runs a command of the repository in a folder of its own. Raises RecordingError."""
    shown = " ".join(command)
    program = [str(ROOT / command[0]), *command[1:]]
    # Names of workers begin with that of the machine where there is no pod's; and a new user has no environment active.
    environment = os.environ | {"TERM": "xterm-256color", "POD_NAME": "worker", "TZ": "UTC", "PATH": _PATH}
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        begun = time.monotonic()
        process = subprocess.Popen(
            program, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        printed = [(round(time.monotonic() - begun, 3), text) for text in _printed(ours)]
        os.close(ours)
        if process.wait() != 0:
            raise RecordingError(f"{shown} ended with {process.returncode}: " + "".join(text for _, text in printed))
    pieces = ((0.0, "o", f"$ {shown}\r\n"), *((at, "o", _anywhere(text)) for at, text in printed))
    return _checked(Recording(Header(2, COLUMNS, ROWS, shown), pieces))


def _printed(terminal: int) -> Iterator[str]:
    """What comes, whole lines at a time."""
    rest = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # Linux's way of saying that nobody holds the other end any more
            chunk = b""
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            yield "".join(line.decode() + "\n" for line in lines)
        if not chunk:
            return


def _anywhere(text: str) -> str:
    """Without what only this machine and this run have: where the repository lies, and the socket's folder."""
    text = text.replace(f"{sys.prefix}/", ".venv/").replace(f"{ROOT}/", "")
    return _SOCKETS.sub("/tmp/streamhooks/", text)


def _checked(recording: Recording) -> Recording:
    for word in (socket.gethostname(), str(ROOT), sys.prefix, f"{Path.home()}/", f"{tempfile.gettempdir()}/tmp"):
        if word in recording.text:
            raise RecordingError(f"the recording tells of the machine: {word}")
    return recording
