"""The modes with a simple idea of place: csv (in quotes or not), form and url (everywhere the same), and text.

In all of them null and missing keys are empty, except in text, which prints what Go prints.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from streamhooks.template.contextual import Machine, RefusedError, State, followed_by
from streamhooks.template.functions.calling import Value
from streamhooks.template.functions.textual import percent_encode, urlquery
from streamhooks.template.nodes import Pipeline
from streamhooks.template.values import MISSING, display

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9]+(?:\.[0-9]*)?$)")
_NEEDS_QUOTES = re.compile(r'[",;\t\r\n]|^ | $')


def printed(value: object) -> str:
    """What Go prints, and nothing for nothing."""
    return "" if value is None or value is MISSING else display(value)


def form(value: Value) -> str:
    """A key or value of application/x-www-form-urlencoded."""
    return urlquery(printed(value))


def url(value: Value) -> str:
    """One piece of a path or query: not even a slash stays."""
    return percent_encode(printed(value))


def csv_quoted(value: Value) -> str:
    """A value between quotes that the template wrote."""
    return _unarmed(value).replace('"', '""')


def csv_bare(value: Value) -> str:
    """A value without quotes around it: it gets them where it needs them."""
    text = _unarmed(value)
    if not _NEEDS_QUOTES.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def _unarmed(value: object) -> str:
    """A string that a spreadsheet would run as a formula starts with an apostrophe instead (OWASP CSV injection)."""
    text = printed(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) else text


ESCAPERS: dict[str, Callable[..., str]] = {"_csv_quoted": csv_quoted, "_csv_bare": csv_bare, "_form": form, "_url": url}


class _Everywhere(Machine):
    """One state, one escaper."""

    start: ClassVar[State] = "text"
    escaper: ClassVar[str]

    def text(self, text: str, state: State) -> tuple[str, State]:
        return text, state

    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        del state
        return followed_by(pipeline, self.escaper)

    def at_end(self, state: State) -> None:
        """Any end will do."""

    def words(self, state: State) -> str:
        del state
        return "in text"


class FormMachine(_Everywhere):
    mode: ClassVar[str] = "form"
    escaper: ClassVar[str] = "_form"


class UrlMachine(_Everywhere):
    mode: ClassVar[str] = "url"
    escaper: ClassVar[str] = "_url"


class CsvMachine(Machine):
    """States: between quotes or not."""

    mode: ClassVar[str] = "csv"
    start: ClassVar[State] = "bare"

    def text(self, text: str, state: State) -> tuple[str, State]:
        if text.count('"') % 2:
            state = "quoted" if state == "bare" else "bare"
        return text, state

    def escaped(self, pipeline: Pipeline, state: State) -> Pipeline:
        return followed_by(pipeline, "_csv_quoted" if state == "quoted" else "_csv_bare")

    def at_end(self, state: State) -> None:
        if state == "quoted":
            raise RefusedError("the text ends between quotes", 'Close them with a `"`.')

    def words(self, state: State) -> str:
        return "between quotes" if state == "quoted" else "outside quotes"
