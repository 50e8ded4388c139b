"""What one template may cost: bounds that are counted, never timed, so that the same event always ends the same way.

A render is paid for from one Meter: the size of each body that is entered, once for each turn of a loop; what
functions are given, and what they make; what is printed. A step is some 0.2 microseconds of work (costs.py), so that
what would take too long ends with a TemplateError of kind "limit" before anything else in the process has waited for
it for 50 ms. The walker, which is slower, pays more for its bodies, and goes on with what the compiled form left.
"""

from collections.abc import Sequence

from streamhooks.errors import TemplateError
from streamhooks.template.costs import CHUNK, Price, weight

SOURCE_BYTES = 64 * 1024
"""Largest template text, in bytes of UTF-8."""
STEPS = 100_000
"""Fuel of one render: some 20 ms. An action is one step and one for each further operand."""
WALKER_RATE = 5
"""What the walker charges for one step of a body: a statement takes it some microsecond."""
OUTPUT_CHARS = 1024 * 1024
"""Largest rendered text, in characters."""
LONG = 1024
"""Characters of a value that is counted at once; of shorter ones, some thirty together."""
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
COPIED_PER_STEP = 512
"""Characters of the output of a called template, for each step that putting them into the caller's takes."""
LAYOUT_CHARS = 128
"""Longest layout of a time. The longest of Go's own has 35 characters."""


def exceeded(what: str, way_out: str, place: str = "") -> TemplateError:
    """The error for a broken limit: what it was, and what to do."""
    return TemplateError("limit", f"{what}\n{way_out}", place)


def output_exceeded() -> TemplateError:
    return exceeded(
        f"template: the output is larger than {OUTPUT_CHARS} characters",
        "Put less of the event into it.",
    )


class Meter:
    """The fuel that is left to one render."""

    left = STEPS
    """On the class, because a meter is made for almost every render: without __init__ that takes half the time."""
    written = 0
    """Characters of output in values longer than LONG; the compiled form looks at all of its output now and then."""

    def charge(self, steps: int) -> None:
        """Take `steps`; raises TemplateError once there is nothing left."""
        self.left -= steps
        if self.left < 0:
            raise exceeded(
                f"template: more steps than an event may take ({STEPS})",
                "Loops over large parts of the event, and large parts that are printed or given to functions, cost "
                "most: take less of it.",
            )

    def pay(self, price: Price, values: Sequence[object]) -> None:
        """Take what a function costs with these arguments, before it is called."""
        self.charge(price.steps(values, self.left))

    def pay_printing(self, value: object) -> None:
        """Take what it costs to print a value, before it is printed."""
        self.charge(weight((value,), self.left))

    def write(self, text: str) -> None:
        """Count a value that is written."""
        if len(text) > LONG:
            self.written += len(text)
            if self.written > OUTPUT_CHARS:
                raise output_exceeded()

    def pay_result(self, made: object) -> None:
        """Take what a function's result weighs; short strings and scalars are free."""
        if isinstance(made, str):
            if len(made) > CHUNK:
                if len(made) > STRING_CHARS:
                    raise exceeded(
                        f"template: a function made a string of {len(made)} characters; "
                        f"at most {STRING_CHARS} are allowed",
                        "Put less of the event into it.",
                    )
                self.charge(len(made) // CHUNK)
        elif isinstance(made, list | dict):
            self.charge(len(made) // 4)
