"""Template as its users see it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from streamhooks.template import Template, TemplateError
from streamhooks.template.functions.calling import FunctionError


def test_a_template_is_parsed_once_and_rendered_often() -> None:
    template = Template.parse("{{.Type}}: {{.Meta.Message}}{{if .Meta.Path}} at {{.Meta.Path}}{{end}}", name="hook")
    assert template.render({"Type": "AuthFailure", "Meta": {"Message": "no", "Path": "/x"}}) == "AuthFailure: no at /x"
    assert template.render({"Type": "HostDown", "Meta": {}}) == "HostDown: <no value>"
    assert (template.name, template.escape) == ("hook", "text")
    assert repr(template) == "<Template hook escape=text>"


def test_a_text_without_actions_is_constant() -> None:
    assert Template.parse("a{{/* c */}}b").constant == "ab"
    assert Template.parse("").constant == ""
    assert Template.parse("a{{1}}").constant is None
    assert Template.parse('{{define "x"}}{{.}}{{end}}b').constant == "b"


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        ("{{.Meta.Path}} {{.ID}}", {("Meta", "Path"), ("ID",)}),
        ("{{with .Meta}}{{.Path}}{{$.ID}}{{end}}", {("Meta",), ("Meta", "Path"), ("ID",)}),
        ("{{$m := .Meta}}{{$m.Path}}", {("Meta",), ("Meta", "Path")}),
        ('{{template "x" .Meta}}{{define "x"}}{{.Path}}{{end}}', {("Meta",), ("Meta", "Path")}),
        ("{{range .Meta.L}}{{.x}}{{$.Type}}{{end}}", {("Meta", "L"), ("Type",)}),
        ('{{index .Meta "Key" | printf "%s"}}{{(.A).B}}', {("Meta",), ("A",), ("A", "B")}),
        ('{{index .Meta "Key"}}', {("Meta",), ("Meta", "Key")}),
        ("{{toJson .}}", {()}),
        ("{{if eq .Type `x`}}{{.TimeStamp}}{{else}}{{.Meta}}{{end}}", {("Type",), ("TimeStamp",), ("Meta",)}),
        ("none", set()),
    ],
)
def test_it_tells_which_fields_it_reads(source: str, fields: set[tuple[str, ...]]) -> None:
    assert Template.parse(source).fields() == fields


TAKES = "The function takes {} here."
AT = 'template: t:1:2: executing "t" at <shout>:'
GIVEN = "are given here. What is piped in is the last of them."


def test_functions_of_the_caller_are_typed_by_their_annotations() -> None:
    def shout(text: str, *more: str) -> str:
        if text == "no":
            raise FunctionError("never")
        return " ".join((text, *more)).upper()

    def double(number: int) -> int:
        return number * 2

    functions: dict[str, Callable[..., object]] = {"shout": shout, "double": double}
    template = Template.parse('{{shout .a "b"}} {{double 4}} {{.a | shout}}', functions=functions)
    assert template.render({"a": "x"}) == "X B 8 X"
    for source, message in (
        ("{{shout 3}}", 'template: t:1:8: executing "t" at <3>: expected string; found 3\n' + TAKES.format("string")),
        ("{{shout}}", f"{AT} wrong number of args for shout: want at least 1 got 0\nshout takes at least 1; 0 {GIVEN}"),
        ('{{shout "no"}}', 'template: t:1:2: executing "t" at <shout "no">: error calling shout: never'),
        (
            '{{double "x"}}',
            'template: t:1:9: executing "t" at <"x">: expected integer; found "x"\n' + TAKES.format("integer"),
        ),
    ):
        with pytest.raises(TemplateError) as caught:
            Template.parse(source, functions=functions).render({})
        assert caught.value.message == message


def test_the_names_of_escapers_are_not_for_functions_of_the_caller() -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{_form .a}}", functions={"_form": str})
    assert caught.value.message == 'template: t: function "_form" may not be registered\nIts name begins with _.'


def test_further_texts_can_be_called_and_looked_up() -> None:
    template = Template.parse('{{template "head" .}}!', templates={"head": "H{{.n}}"})
    assert template.render({"n": 1}) == "H1!"
    assert template.lookup("head").render({"n": 2}) == "H2"


def test_delimiters_can_be_others() -> None:
    assert Template.parse("[[.a]] {{.a}}", delims=("[[", "]]")).render({"a": 1}) == "1 {{.a}}"


def test_times_of_python_are_gos_times() -> None:
    template = Template.parse('{{.t}}|{{.t.Year}}|{{as_rfc3339 .t}}|{{printf "%v" .l}}')
    moment = datetime(2026, 11, 23, 10, 0, 5, 120000, tzinfo=timezone(timedelta(hours=2)))
    assert template.render({"t": moment, "l": [datetime(2026, 1, 2, tzinfo=UTC)]}) == (
        "2026-11-23 10:00:05.12 +0200 +0200|2026|2026-11-23T10:00:05+02:00|[2026-01-02 00:00:00 +0000 UTC]"
    )


@pytest.mark.parametrize("escape", ["text", "json", "html", "xml"])
def test_rendering_leaves_the_data_as_they_were(escape: str) -> None:
    data = {"l": [1, {"a": "x\ud800"}], "m": {"b": None}}
    before = repr(data)
    source = "{{.l}}{{.m.b}}{{range .l}}{{end}}"
    template = Template.parse(f'["{source}"]' if escape == "json" else source, escape=escape)  # type: ignore[arg-type]  # parse checks the mode
    template.render(data)
    assert repr(data) == before
