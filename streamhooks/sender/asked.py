"""A request that was written to a connection which stood, until its answer has come.

Nobody waits for it: to wait, a delivery needs a task, a future and a turn of the event loop at either end, together as
much as all else it does. Its owner is called when there is something to read, and mostly that is all of it. Where it is
not (a body that stays away, an interim answer, a connection that broke) `rest` waits, in a task of the owner's.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from streamhooks.model import Failure, Reply
from streamhooks.sender.deadlines import Deadlines
from streamhooks.sender.exchange import Answer, at_once, rest
from streamhooks.sender.failures import EXPECTED, classify
from streamhooks.sender.pool import Link
from streamhooks.sender.received import Received


class Asked(Struct, gc=False):
    """`started` is on the clock that `answer` and `rest` are given the time by."""

    link: Link
    deadlines: Deadlines
    started: float

    def answer(self, now: float) -> Reply | Failure | None:
        """Where all of it has come; else None, and `rest` is the way."""
        answer = at_once(self.link, self.deadlines)
        return None if answer is None else told(answer, now - self.started)

    async def rest(self, clock: Callable[[], float]) -> Reply | Failure:
        """Waits for it. Raises nothing but CancelledError."""
        try:
            answer = await rest(self.link, self.deadlines)
        except EXPECTED as error:
            kind, message = classify(error)
            return Failure(kind, message, clock() - self.started)
        return told(answer, clock() - self.started)


Heard: TypeAlias = Callable[[Asked], None]
"""Is called once for each request that was written, when there is something to read."""


def told(answer: Answer, elapsed: float) -> Reply | Failure:
    """What the answer of an endpoint says, `elapsed` seconds after it was asked for."""
    if not 200 <= answer.status < 600:
        return Failure("protocol", f"the answer has status {answer.status}, which is none", elapsed)
    return Reply(answer.status, Received(answer.headers), answer.head, elapsed)
