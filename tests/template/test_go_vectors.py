"""Every vector of the real Go: outputs byte for byte, error texts word for word, by both ways of running a template.

html/template escapes for places inside tags, scripts, styles and URLs; html mode refuses such templates. So a vector
tagged html-context is either right or refused, and never anything else.
"""

import pytest

from streamhooks.template import TemplateError
from tests.template.cases import Case, first_line, read

CASES = [*read("go-template.jsonl"), *read("fuzz.jsonl")]
REFUSED = 48
"""How many vectors of html mode are refused, of 59."""


def _ids(case: Case) -> str:
    return f"{case.name}|{case.mode}"


def _answer(case: Case) -> bytes | str:
    """What a case comes to: its bytes, or its error."""
    try:
        return case.parse().render_bytes(case.values())
    except TemplateError as error:
        return error.message


def _expected(case: Case) -> bytes | str:
    return case.expected if case.error is None else case.error


@pytest.mark.parametrize("case", [case for case in CASES if "html-context" not in case.tags], ids=_ids)
def test_a_template_gives_what_go_gives(case: Case) -> None:
    answer = _answer(case)
    if isinstance(answer, str):
        answer = first_line(answer).encode("utf-8", "replace").decode()
    assert answer == _expected(case)


@pytest.mark.parametrize("case", [case for case in CASES if "html-context" in case.tags], ids=_ids)
def test_html_mode_is_right_or_refuses_where_html_has_contexts(case: Case) -> None:
    answer = _answer(case)
    if answer != _expected(case):
        assert isinstance(answer, str)
        assert answer.startswith("html/template:")
        way_out = answer.split("\n")[1]
        assert way_out


def test_html_mode_refuses_no_more_than_it_must() -> None:
    answers = [(_answer(case), _expected(case)) for case in CASES if "html-context" in case.tags]
    refused = [answer for answer, expected in answers if answer != expected and isinstance(answer, str)]
    assert len(refused) == REFUSED


@pytest.mark.parametrize("case", CASES, ids=_ids)
def test_the_walker_gives_what_the_compiled_form_gives(case: Case) -> None:
    try:
        template = case.parse()
    except TemplateError:
        assert isinstance(_answer(case), str)
        return
    try:
        walked: bytes | str = template.walk(case.values())
    except TemplateError as error:
        walked = error.message
    assert walked == _answer(case)


def test_no_vector_but_two_needs_the_walker_for_want_of_a_compiled_form() -> None:
    """Python allows 20 nested loops and 100 levels of indentation; everything else compiles."""
    without = []
    for case in CASES:
        try:
            template = case.parse()
        except TemplateError:
            continue
        if template.generated is None:
            without.append(case.name)
    assert without == ["limit/nested-if-120", "limit/nested-range-25"]


def test_a_str_is_rendered_with_replacement_characters_for_what_is_no_utf8() -> None:
    case = next(case for case in CASES if case.name == "lex/string-invalid-utf8")
    assert case.parse().render(None) == "\ufffd\ufffd"
    assert case.parse().render_bytes(None) == b"\xff\xfe"
