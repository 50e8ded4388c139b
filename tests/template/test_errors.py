"""An error says what Go says, and then, on a line of its own, what helps."""

import pytest

from streamhooks.template import Template, TemplateError
from tests.template.cases import read


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
        (
            "{{.Meta.Nothing}}",
            {"Meta": {}},
            '1:7: executing "t" at <.Meta.Nothing>',
            'map has no entry for key "Nothing"',
            'Where it may be missing, index gives nothing: {{index .map "Nothing"}}.',
        ),
        (
            '{{template "hed" .}}{{define "head"}}x{{end}}',
            {},
            '1:11: executing "t" at <{{template "hed" .}}>',
            'template "hed" not defined',
            "Did you mean head?",
        ),
        (
            '{{template "foot"}}',
            {},
            '1:11: executing "t" at <{{template "foot"}}>',
            'template "foot" not defined',
            'Define it: {{define "foot"}}...{{end}}.',
        ),
        (
            "{{index .l 2}}",
            {"l": [1]},
            '1:2: executing "t" at <index .l 2>',
            "error calling index: index out of range: 2",
            "Indexes begin at 0 and end before the length; guard it with {{if gt (len .list) 2}}.",
        ),
        (
            "{{len .n}}",
            {"n": None},
            '1:2: executing "t" at <len .n>',
            "error calling len: len of nil pointer",
            "What is measured is not there; guard it with {{with}} or {{if}}.",
        ),
        (
            "{{range .s}}{{end}}",
            {"s": "abc"},
            '1:8: executing "t" at <.s>',
            "range can't iterate over abc",
            "range goes over lists, maps and whole numbers.",
        ),
        (
            "{{eq .l .l}}",
            {"l": [1]},
            '1:2: executing "t" at <eq .l .l>',
            "error calling eq: non-comparable type [%!s(int64=1)]: []interface {}",
            "Lists and maps are compared with nothing but nil; compare their parts, or toJson of both.",
        ),
        (
            "{{len .a .a}}",
            {"a": ""},
            '1:2: executing "t" at <len>',
            "wrong number of args for len: want 1 got 2",
            "len takes 1; 2 are given here. What is piped in is the last of them.",
        ),
        (
            "{{Message}}",
            {},
            "1",
            'function "Message" not defined',
            "No function is like it; a field has a dot before it: {{.Message}}.",
        ),
        ("{{if}}x{{end}}", {}, "1", "missing value for if", "A value stands after it: {{if .field}}."),
        (
            "{{if .a}}x",
            {},
            "1",
            "unexpected EOF",
            "A block is not closed: each if, with, range, block and define has its {{end}}.",
        ),
        ("{{.a}}\n{{.b", {}, "2", "unclosed action", "An action ends with }}."),
        (
            "{{if .a = 1}}{{end}}",
            {},
            "1",
            'unexpected "=" in operand',
            "Comparisons are functions: eq ne lt le gt ge, and or not.",
        ),
        (
            "{{.a-b}}",
            {},
            "1",
            "bad character U+002D '-'",
            'Names are letters, digits and _; other keys are reached by index: {{index . "a-b"}}.',
        ),
        (
            "{{$x}}",
            {},
            "1",
            'undefined variable "$x"',
            "A variable is there from {{$x := ...}} to the end of its block.",
        ),
        (
            "{{if .a}}a{{else}}b{{else}}c{{end}}",
            {},
            "1",
            "expected end; found {{else}}",
            "Each if, with or range has one {{else}}, as its last.",
        ),
        ("one\ntwo {{print 1, 2}}", {}, "2", 'unexpected "," in operand', "It is in {{print 1, 2}}."),
    ],
)
def test_an_error_has_gos_words_and_a_line_that_helps(
    source: str, data: object, place: str, fault: str, hint: str
) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, missingkey="error").render(data)
    assert caught.value.message == f"template: t:{place}: {fault}\n{hint}"
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


def test_every_error_of_the_vectors_that_is_not_a_functions_own_has_a_line_that_helps() -> None:
    without = set()
    for case in read("go-template.jsonl"):
        if case.error is None or case.mode != "text":
            continue
        with pytest.raises(TemplateError) as caught:
            case.parse().render(case.values())
        if "\n" not in caught.value.message:
            without.add(caught.value.message.rpartition(": ")[2])
    assert without <= {
        *("100%d", "boom", "x", "die", "custom panic string"),
        "wall is an unexported field of struct type interface {}",
    }


def test_a_line_that_helps_shows_nothing_of_the_text_around_an_action() -> None:
    """A header's value may hold a token."""
    with pytest.raises(TemplateError) as caught:
        Template.parse("Bearer s3cret {{print 1, 2}}")
    assert caught.value.message == 'template: t:1: unexpected "," in operand\nIt is in {{print 1, 2}}.'
    with pytest.raises(TemplateError) as caught:
        Template.parse("Bearer s3cret {{")
    assert "s3cret" not in caught.value.message


def test_looking_for_a_name_that_is_near_has_a_bound() -> None:
    """In the names that are looked at, in their length, and in the length of the message."""
    near = {f"key{number}": 1 for number in range(100_000)}
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{.m.key1x}}", missingkey="error").render({"m": {**near, "key1": 1}})
    assert caught.value.kind == "limit"
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{.m.key1x}}", missingkey="error").render({"m": dict([*near.items()][:5000])})
    assert "\nNear it are the keys of the event key1, key" in caught.value.message
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{range .s}}{{end}}").render({"s": "at <" * 100_000})
    assert caught.value.message.count("\n") == 0
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{.m." + "k" * 300 + "}}", missingkey="error").render({"m": {"k" * 301: 1}})
    assert caught.value.message.endswith('"}}.')
