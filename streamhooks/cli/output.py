"""What a command prints: results to stdout, everything else to stderr.

Law: what a stranger wrote (an event, an endpoint's answer) is printed with its control characters escaped, so that it
cannot move the cursor, colour the screen or forge a line.
"""

import json
import sys
from typing import Any


def say(text: str) -> None:
    """A result."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """A fault, a warning, or how it stands."""
    sys.stderr.write(text + "\n")


def document(value: Any) -> None:
    """One JSON document. ASCII only, which every terminal and every pipe takes as it is."""
    say(json.dumps(value, indent=2))


def printable(text: str) -> str:
    """The text on one line, everything that is no visible character escaped as in Python's own strings."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def lines(text: str) -> str:
    """The same for a text of several lines: line feeds stay."""
    return "\n".join(printable(line) for line in text.split("\n"))
