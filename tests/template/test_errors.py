"""An error says what Go says, and then, on a line of its own, what helps."""

import pytest

from streamhooks.template import Template, TemplateError


@pytest.mark.parametrize(
    ("source", "data", "place", "fault", "hint"),
    [
        (
            "{{.Meta.Mesage}}",
            {"Meta": {"Message": "x", "Path": "/"}},
            '1:7: executing "t" at <.Meta.Mesage>',
            'map has no entry for key "Mesage"',
            "Near it are the keys of the event Message, Meta.",
        ),
        (
            "{{.a.b}}",
            {"a": "text"},
            '1:4: executing "t" at <.a.b>',
            "can't evaluate field b in type interface {}",
            ".a.b goes through a value that has no fields: .b needs a map before it.",
        ),
        (
            "{{.a.b}}",
            {"a": None},
            '1:4: executing "t" at <.a.b>',
            "nil pointer evaluating interface {}.b",
            "What .b is read from is null here; guard it with {{with}} or {{if}}.",
        ),
        (
            "{{gt .n 10}}",
            {"n": 12.5},
            '1:2: executing "t" at <gt .n 10>',
            "error calling gt: incompatible types for comparison: float64 and int",
            "Go compares no float with an integer: write the constant with a point (10.0), or convert with float64.",
        ),
        (
            "{{slice .s 0 .n}}",
            {"s": "abc", "n": 1},
            '1:2: executing "t" at <slice .s 0 .n>',
            "error calling slice: cannot index slice/array with type interface {}",
            "Bind the index to a variable first: {{$n := .n}}{{slice .s 0 $n}}.",
        ),
        (
            "{{upper .n}}",
            {"n": 1},
            '1:8: executing "t" at <.n>',
            "wrong type for value; expected string; got int64",
            "The function takes string here, the value is int64; convert it first.",
        ),
        ("{{as_rfc339 .t}}", {}, "1", 'function "as_rfc339" not defined', "Did you mean as_rfc3339?"),
        ("{{if}}x{{end}}", {}, "1", "missing value for if", ""),
    ],
)
def test_an_error_has_gos_words_and_a_line_that_helps(
    source: str, data: object, place: str, fault: str, hint: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, missingkey="error").render(data)
    assert caught.value.message == f"template: t:{place}: {fault}" + (f"\n{hint}" if hint else "")
    assert str(caught.value) == caught.value.message


def test_an_errors_kind_says_when_it_was_found() -> None:
    def kind_of(source: str, data: object = None, escape: str = "text") -> str:
        with pytest.raises(TemplateError) as caught:
            Template.parse(source, escape=escape).render(data)  # type: ignore[arg-type]  # parse checks the mode
        return caught.value.kind

    assert kind_of("{{") == "parse"
    assert kind_of("{{.a.b}}", {"a": 1}) == "exec"
    assert kind_of('"{{.a}}', escape="json") == "escape"
    assert kind_of("x", escape="json") == "json"
    assert kind_of("{{range 999999}}{{end}}") == "limit"
    assert kind_of("{{.}}{{.a.b}}", {"a": object()}) == "data"


def test_data_that_no_event_can_hold_is_named() -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{.a.b}}").render({"a": {1, 2}})
    assert caught.value.message == (
        "template: cannot use a value of type set\n"
        "Data are strings, numbers, booleans, None, lists and dicts with string keys."
    )
