"""What PyYAML says of a text that is not YAML, in words that name the slip and the way out.

Its own words are those of a grammar (`expected <block end>, but found '?'`), and some of them quote the text, which may
be a secret. What is not in the table stays as PyYAML says it.
"""

import re

import yaml

_ALIAS_OR_TAG = re.compile(r"(alias|tag|anchor|tag handle) '.*", re.DOTALL)
_TABLE = (
    ("expected <block end>", "is indented otherwise than what stands around it, which begins in {begun}"),
    ("found character '\\t'", "is indented by a tab; use spaces"),
    ("found character '", "a text that begins with this character needs quotes"),
    ("expected ',' or", "the bracket that is opened in {begun} must be closed before this"),
    ("mapping values are not allowed", 'stands behind a value already; a text that holds ": " needs quotes'),
    ("found unhashable key", "a text that begins with {{ or [ needs quotes, such as '{{{{ eq .X 1 }}}}'"),
    ("found unexpected end of stream", "the quote that is opened in {begun} must be closed before this"),
    ("could not find expected ':'", 'the line before this has no "key: value"'),
    ("expected alphabetic or numeric character", "a text that begins with * or & needs quotes"),
    ("found unknown escape character", "in double quotes a backslash is doubled; single quotes take it as it is"),
    ("but found another document", "a file holds one document; a second begins here"),
)
"""How PyYAML's words begin, and ours; `{begun}` is the place of what was begun before."""


def yaml_fault(error: yaml.MarkedYAMLError) -> tuple[str, str]:
    """Where in the text it is (empty: nowhere), and what is wrong there."""
    mark = error.problem_mark or error.context_mark
    return _place(mark), f"is not YAML: {_said(error)}"


def _said(error: yaml.MarkedYAMLError) -> str:
    said = str(error.problem or error.context)
    for begins, ours in _TABLE:
        if said.startswith(begins):
            return ours.format(begun=_place(error.context_mark) or "a line before")
    return _ALIAS_OR_TAG.sub(r"\1; a text that begins with * or ! needs quotes", said)


def _place(mark: yaml.Mark | None) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
