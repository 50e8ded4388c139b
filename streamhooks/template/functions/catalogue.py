"""All functions that every template has: Go's builtins, Tyk's, and a selection of Sprig's.

Left out, on purpose: what reads the host or the network (env, expandenv, getHostByName), what makes keys or
passwords, what changes the event for others (set, unset, merge), what differs from one attempt to the next (now, ago,
rand*, shuffle, uuidv4: a retry would not be the same request), regular expressions (Go's are linear in time, Python's
are not) and semver. Sprig's slice would take the place of Go's own, which stays.
"""

from collections.abc import Callable
from typing import Any

from streamhooks.template.functions.builtins import BUILTINS
from streamhooks.template.functions.calling import Function, functions
from streamhooks.template.functions.dates import DATES
from streamhooks.template.functions.encodings import ENCODINGS
from streamhooks.template.functions.lists import LISTS
from streamhooks.template.functions.maps import MAPS
from streamhooks.template.functions.numbers import NUMBERS
from streamhooks.template.functions.prices import PRICES
from streamhooks.template.functions.strings import STRINGS

SUBJECTS: dict[str, dict[str, Callable[..., Any]]] = {
    "text": STRINGS,
    "numbers and conditions": NUMBERS,
    "lists": LISTS,
    "maps": MAPS,
    "times": DATES,
    "encodings": ENCODINGS,
}
"""The functions beyond the builtins, by subject: what the documentation lists."""

CATALOGUE: dict[str, Function] = {
    **functions({name: call for calls in SUBJECTS.values() for name, call in calls.items()}, PRICES),
    **BUILTINS,
}
