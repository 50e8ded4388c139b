"""Where a text holds template actions, `{{ ... }}`, without parsing them.

Only for what must be known before a template can be parsed: which part of a URL is constant, and what a body begins
with. Strings, characters, raw strings and comments inside an action may hold `}}`, as in Go's lexer.
"""

from collections.abc import Iterator

OPEN, CLOSE = "{{", "}}"


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text in order, cut into (is an action, piece). An action that never ends counts as constant."""
    start = 0
    while (opening := text.find(OPEN, start)) >= 0:
        end = _end(text, opening + len(OPEN))
        if end < 0:
            break
        if opening > start:
            yield False, text[start:opening]
        yield True, text[opening:end]
        start = end
    if start < len(text):
        yield False, text[start:]


def _end(text: str, at: int) -> int:
    """The index after the action's `}}`, or -1."""
    inside = text[at:].removeprefix("- ").lstrip()
    if inside.startswith("/*"):
        comment = text.find("*/", at)
        at = comment + 2 if comment >= 0 else len(text)
    while at < len(text):
        if text.startswith(CLOSE, at):
            return at + len(CLOSE)
        at = _after_quoted(text, at) if text[at] in "\"'`" else at + 1
    return -1


def _after_quoted(text: str, at: int) -> int:
    quote, at = text[at], at + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote != "`" else 1
    return at + 1
