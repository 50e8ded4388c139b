"""Named points at which a test lets the process die, as a crash would.

`STREAMHOOKS_FAILPOINT=name` or `name:n` kills the process with SIGKILL when the point is reached for the n-th time;
`name=text` when it is reached with a subject that contains the text. Without the variable a point is an empty call.
The points, in the order of an entry's way: read, claimed, sending, replied, settled, receipted, stored, buried.
`sending` has a subject, the owner: `<entry id>|<handler>`.
"""

import os
import signal

_spec = os.environ.get("STREAMHOOKS_FAILPOINT", "")
_point, _, _text = _spec.partition("=")
_name, _, _count = _point.partition(":")
_left = int(_count or 1)


def reached(point: str, subject: str = "") -> None:
    """Says that a point was reached."""
    if point == _name and _text in subject:
        _die_in_time()


def _die_in_time() -> None:
    global _left  # noqa: PLW0603  a countdown of the process, which ends with it
    _left -= 1
    if _left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
