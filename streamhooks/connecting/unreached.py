"""Why a server could not be connected to, in the same words whatever event loop tried.

asyncio, uvloop and blocking sockets each spell one refusal differently, with numbers and tuples in it; where a name
has several addresses, asyncio joins what it heard of each.
"""

import errno
import os
import re
import socket

_NUMBERS = re.compile(r"\[Errno (\d+)\]")
_REFUSED = "connection refused, nothing listens there"
_WORDS = {errno.ECONNREFUSED: _REFUSED, errno.ENOENT: "there is no such socket"}


def unreached(error: OSError) -> str:
    """Why it could not be connected to, on one line."""
    if isinstance(error, socket.gaierror):
        return f"its name cannot be looked up ({error.strerror})"
    numbers = [error.errno] if error.errno else [int(number) for number in _NUMBERS.findall(str(error))]
    words = dict.fromkeys(_WORDS.get(number) or os.strerror(number) for number in numbers)
    return "; ".join(words) or str(error).split("\n", 1)[0] or type(error).__name__
