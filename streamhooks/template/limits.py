"""What one template may cost: bounds that are counted, never timed, so that the same event always ends the same way.

A render is paid for from a Meter. Both ways of running a template charge the same things: the size of each body that
is entered, once for each turn of a loop, and what a function makes. What would take too long ends with a
TemplateError of kind "limit" long before anything else in the process has to wait for it.
"""

from streamhooks.errors import TemplateError

SOURCE_BYTES = 64 * 1024
"""Largest template text, in bytes of UTF-8."""
STEPS = 100_000
"""Fuel of one render. An action is one step, a turn of a loop is as many as its body has nodes."""
WALKER_STEPS = 20_000
"""Fuel where the walker runs a template: a step costs it ten times as much, and no event may block others for long."""
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
CHARS_PER_STEP = 64
"""So many characters, or a sixteenth as many list items, of a function's result are charged as one step."""


def exceeded(what: str, way_out: str, place: str = "") -> TemplateError:
    """The error for a broken limit: what it was, and what to do."""
    return TemplateError("limit", f"{what}\n{way_out}", place)


class Meter:
    """The fuel that is left to one render."""

    __slots__ = ("left", "steps")

    def __init__(self, steps: int = STEPS) -> None:
        self.left = self.steps = steps

    def charge(self, steps: int) -> None:
        """Take `steps`; raises TemplateError once there is nothing left."""
        self.left -= steps
        if self.left < 0:
            raise exceeded(
                f"template: more than {self.steps} steps",
                "Loops over large parts of the event cost most: range over less, or over a smaller event.",
            )

    def charge_result(self, made: object) -> None:
        """Take what a function's result weighs; short strings and scalars are free."""
        if made.__class__ is str:
            if len(made) > CHARS_PER_STEP:
                self.charge(len(made) // CHARS_PER_STEP)
        elif made.__class__ is list or made.__class__ is dict:
            self.charge(len(made) * 16 // CHARS_PER_STEP)
