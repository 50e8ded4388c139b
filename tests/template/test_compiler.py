"""The compiled form against the exact walker, and what the generated source may hold."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamhooks.template import Template, TemplateError
from streamhooks.template.escape import MODES
from tests.template.cases import first_line
from tests.template.grammar import Grammar

SLOWER = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def both(template: Template, data: object) -> tuple[str, str]:
    """What the compiled form with its fall-back says, and what the walker says.

    Where both end with a limit, it may be another: the walker pays more for the same.
    """
    answers = []
    for render in (template.render_bytes, template.walk):
        try:
            answers.append(render(data).decode("utf-8", "surrogateescape"))
        except TemplateError as error:
            answers.append("limit" if error.kind == "limit" else f"{error.kind}: {error.message}")
    return answers[0], answers[1]


@given(st.randoms(use_true_random=False), st.sampled_from(["default", "zero", "error"]))
@SLOWER
def test_the_compiled_form_and_the_walker_agree_on_any_template(source: random.Random, missingkey: str) -> None:
    grammar = Grammar(source)
    text, data = grammar.template(), grammar.data()
    compiled, walked = both(Template.parse(text, missingkey=missingkey), data)
    assert compiled == walked


@given(st.integers(0, 2**32), st.sampled_from([mode for mode in MODES if mode not in ("text", "json", "html")]))
@SLOWER
def test_the_compiled_form_and_the_walker_agree_in_every_escape_mode(seed: int, mode: str) -> None:
    grammar = Grammar(random.Random(seed))  # a seed that can be given again, no secret
    text, data = grammar.template(), grammar.data()
    try:
        template = Template.parse(text, escape=mode)  # type: ignore[arg-type]  # the modes are checked by parse
    except TemplateError:
        return  # its branches end in different places
    compiled, walked = both(template, data)
    assert compiled == walked


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ("{{range .l}}{{$v := .}}{{$v.x}}{{end}}", {"l": [{"x": 1}, {"x": 2}]}, "12"),
        ("{{$v := .a}}{{range .l}}{{$v.x}}{{$v = .}}{{end}}{{$v.x}}", {"a": {"x": 1}, "l": [{"x": 3}]}, "13"),
        ("{{if .c}}{{.m.a}}{{end}}{{.m.a}}", {"c": False, "m": {"a": 1}}, "1"),
        ("{{or .a .m.y}}{{.m.y}}", {"a": 1, "m": {"y": 2}}, "12"),
        ("{{$ = 3}}{{$}}{{.a}}", {"a": 1}, "31"),
        ("{{range $i, $e := .l}}{{else}}{{$i}}{{$e}}{{end}}", {"l": []}, "[][]"),
        ("{{$x := 0}}{{range $x = .l}}{{end}}{{$x}}", {"l": [7, 8]}, "8"),
        ("{{$x := 0}}{{range $x = .l}}{{end}}{{$x}}", {"l": []}, "[]"),
        ("{{range .l}}{{if .}}{{continue}}{{end}}x{{end}}", {"l": [0, 1, 0]}, "xx"),
        ("{{if eq .n 1}}a{{else if eq .n 2}}b{{else}}c{{end}}", {"n": 2}, "b"),
        ("{{if eq .a.n 1}}a{{else if eq .b.n 2}}b{{else if .c.d}}c{{end}}", {"b": {"n": 2}}, "b"),
    ],
)
def test_what_is_loaded_once_is_never_stale(source: str, data: object, expected: str) -> None:
    template = Template.parse(source)
    assert template.generated is not None
    assert template.render(data) == expected
    assert template.walk(data) == expected.encode()


@pytest.mark.parametrize(
    "hostile", ['"""+__import__("os")+"""', "'};import os#", "{d.__class__}", "\\N{BULLET}", "é\u2028"]
)
def test_nothing_of_a_template_is_ever_code(hostile: str) -> None:
    """As text, key, string, template name and variable, it stays what it is; the generated text is ASCII."""
    quoted = hostile.replace("\\", "\\\\").replace('"', '\\"')
    actions = f'{{{{index . "{quoted}"}}}}{{{{"{quoted}"}}}}{{{{template "{quoted}"}}}}'
    source = f'{hostile}{actions}{{{{define "{quoted}"}}}}T{{{{end}}}}'
    template = Template.parse(source)
    assert template.generated is not None
    assert template.generated.isascii()
    assert template.render({hostile: "value"}) == f"{hostile}value{hostile}T"


def test_generated_code_sees_no_builtins() -> None:
    generated = Template.parse('{{.a}}{{range .l}}{{printf "%s" .}}{{end}}').generated
    assert generated is not None
    assert "import" not in generated
    assert "__builtins__" not in generated


def test_attributes_of_python_objects_cannot_be_reached() -> None:
    template = Template.parse("{{.__class__}}|{{.m.__init__.__globals__}}")
    assert template.render({"m": {}}) == "<no value>|<no value>"
    with pytest.raises(TemplateError) as caught:
        Template.parse("{{.s.__class__}}").render({"s": "x"})
    assert first_line(caught.value.message) == (
        'template: t:1:4: executing "t" at <.s.__class__>: can\'t evaluate field __class__ in type interface {}'
    )


def test_a_giving_up_in_the_middle_loses_and_doubles_nothing() -> None:
    template = Template.parse("{{range .l}}{{slice $.s 0 .n}}{{end}}", catalogue=False)
    with pytest.raises(TemplateError):
        template.render({"s": "abc", "l": [{"n": 1}]})
    again = Template.parse("{{range .l}}{{.}};{{end}}{{$n := .n}}{{slice .s 0 $n}}")
    assert again.render({"s": "abc", "n": 2, "l": [1, 2]}) == "1;2;ab"
