"""What values and calls cost, in steps of some 0.2 microseconds each, so that a number of steps bounds the time.

The figures were measured on the worst that 512 KiB of event can hold, an event's largest size (one core of an AMD
EPYC, Python 3.11; `scripts/bench templates --bombs` measures what they come to). They are rounded up, and a text that
only C goes through costs next to nothing, so that ordinary events never notice.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

CHUNK = 64
"""Characters that a price for text is for."""


def weight(values: Iterable[object], most: int) -> int:
    """What it takes to print `values`, with all that is in them; it stops counting soon after `most`.

    A container that stands in several places counts in each, since it is printed in each: a list of itself twice,
    made thirty times over, is a thousand million items.
    """
    total = 0
    waiting: list[Any] = [*values]
    for value in waiting:
        cls = value.__class__
        if cls is str:
            total += len(value) // CHUNK
        elif cls is list:
            total += 2 + len(value)
            if total > most:
                break
            waiting += value
        elif cls is dict:
            total += 4 + 4 * len(value)
            if total > most:
                break
            waiting += value
            waiting += value.values()
        elif cls is float:
            total += 4
        elif isinstance(value, str | bytes):
            total += len(value) // (CHUNK if isinstance(value, str) else 1)
    return total


class Price(Struct, frozen=True):
    """What one call of a function costs."""

    text: int = 1
    """Steps for every 64 characters of its arguments, each at least one."""
    wide: int = 0
    """The same for text that is not ASCII, where that takes longer."""
    deep: int = 1
    """How many times their weight containers cost; 0 where they are not gone through."""
    flat: int = 0
    """Steps for each item of a list or map whose items are not looked into."""
    fee: int = 2
    """Steps of any call, however small its arguments."""
    by_number: bool = False
    """Whether a number among its arguments says what it costs, see `of`."""
    makes: bool = True
    """Whether it makes what it returns, which then costs by its size."""
    of: Callable[[Sequence[Any], int], int] | None = None
    """Further steps, where the arguments say it in another way; it gets them and what it should stop counting at."""

    def steps(self, values: Sequence[object], most: int) -> int:
        """For these arguments; more than `most` where it is more, not always how much more."""
        total = self.fee
        for value in values:
            if isinstance(value, str):
                total += len(value) // CHUNK * (self.text if value.isascii() or not self.wide else self.wide)
            elif isinstance(value, list | dict):
                total += len(value) * self.flat
                if self.deep:
                    total += self.deep * weight((value,), most // self.deep)
            elif isinstance(value, bytes):
                total += len(value)
        return total + self.of(values, most) if self.of else total

    @property
    def free(self) -> bool:
        """Whether a call costs its fee only, whatever its arguments."""
        return not (self.text or self.deep or self.flat or self.of)


FREE = Price(text=0, deep=0, makes=False)
"""Returns one of its arguments, or something in one of them."""
USUAL = Price(text=CHUNK, deep=4, fee=5)
"""For functions of the caller, of which nothing is known: one step for each character."""
