"""What one template may cost: bounds that are counted, never timed, so that the same event always ends the same way.

A render is paid for from a Meter: the size of each body that is entered, once for each turn of a loop, what functions
are given, and what they make. The walker, which is slower, pays more for its bodies. What would take too long ends
with a TemplateError of kind "limit" before anything else in the process has to wait for it, some 50 ms at the worst.
"""

from streamhooks.errors import TemplateError

SOURCE_BYTES = 64 * 1024
"""Largest template text, in bytes of UTF-8."""
STEPS = 100_000
"""Fuel of one render. An action is one step, a turn of a loop is as many as its body has nodes."""
WALKER_RATE = 5
"""What the walker charges for one step of a body: it is so much slower, and no event may block others for long."""
OUTPUT_CHARS = 1024 * 1024
"""Largest rendered text, in characters."""
TEMPLATE_DEPTH = 320
"""Nested {{template}} calls. Go allows 100,000; templates that walk real trees need a few dozen."""
BLOCKS = 200
"""Blocks inside each other in one template text; each else-if is one. PARENTHESES likewise, in one pipeline."""
PARENTHESES = 256
PRINTF_WIDTH = 4096
"""Largest width or precision that printf obeys. Go obeys some ten million, which is a 10 MB string."""
STRING_CHARS = OUTPUT_CHARS
"""Largest string, and LIST_ITEMS the longest list, that a function may make."""
LIST_ITEMS = 100_000
MADE_PER_STEP = 64
"""Characters of a string that a function makes, per step."""
READ_PER_STEP = 16
"""Characters of a string that a function is given, per step: some look at each in Python."""


def exceeded(what: str, way_out: str, place: str = "") -> TemplateError:
    """The error for a broken limit: what it was, and what to do."""
    return TemplateError("limit", f"{what}\n{way_out}", place)


class Meter:
    """The fuel that is left to one render."""

    __slots__ = ("left",)

    def __init__(self, left: int = STEPS) -> None:
        self.left = left

    def charge(self, steps: int) -> None:
        """Take `steps`; raises TemplateError once there is nothing left."""
        self.left -= steps
        if self.left < 0:
            raise exceeded(
                f"template: more steps than an event may take ({STEPS})",
                "Loops over large parts of the event cost most: range over less, or over a smaller event.",
            )

    def charge_arguments(self, *values: object) -> None:
        """Take what it costs to go through the arguments of a function: three steps for two items, all the way in."""
        waiting = [*values]
        while waiting:
            value = waiting.pop()
            if isinstance(value, str):
                if len(value) > READ_PER_STEP:
                    self.charge(len(value) // READ_PER_STEP)
            elif isinstance(value, list):
                self.charge(len(value) * 3 // 2)
                waiting += value
            elif isinstance(value, dict):
                self.charge(len(value) * 3 // 2)
                waiting += value.values()

    def charge_result(self, made: object) -> None:
        """Take what a function's result weighs; short strings and scalars are free."""
        if isinstance(made, str):
            if len(made) > MADE_PER_STEP:
                self.charge(len(made) // MADE_PER_STEP)
        elif isinstance(made, list | dict):
            self.charge(len(made) // 4)
