"""A hostile template or event ends with a clear error, soon and always in the same way."""

import time
from collections.abc import Callable

import pytest

from streamhooks.template import Template, TemplateError

SLOWEST = 0.5
"""Seconds that a bomb may take here: ten times the goal, since test machines are shared."""


def bomb(source: str, data: object, **options: str) -> TemplateError:
    """The error that a template ends with, and soon."""
    template = Template.parse(source, **options)  # type: ignore[arg-type]  # options are given by name in tests only
    started = time.perf_counter()
    with pytest.raises(TemplateError) as caught:
        template.render(data)
    assert time.perf_counter() - started < SLOWEST
    return caught.value


LIST = list(range(3000))


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("{{range .l}}{{range $.l}}{{.}}{{end}}{{end}}", {"l": LIST}),
        ("{{range 100000000}}{{.}}{{end}}", {}),
        ("{{range $i := 99999}}{{range 99999}}{{end}}{{end}}", {}),
        ('{{range .l}}{{if printf "%s" $.s}}{{end}}{{end}}', {"l": LIST, "s": "x" * 200_000}),
        ("{{range .l}}{{if sortAlpha $.l}}{{end}}{{end}}", {"l": LIST}),
        ('{{range .l}}{{if has "x" $.l}}{{end}}{{end}}', {"l": LIST}),
        ("{{range .l}}{{if toJson $.l}}{{end}}{{end}}", {"l": LIST}),
        ("{{range .l}}{{if upper $.s}}{{end}}{{end}}", {"l": LIST, "s": "é" * 100_000}),
        ('{{range .l}}{{if contains "y" $.s}}{{end}}{{end}}', {"l": LIST, "s": "x" * 200_000}),
        ("{{range .l}}{{.n}}{{end}}{{.l.x}}", {"l": [{"n": 1}] * 25_000}),
    ],
)
def test_loops_run_out_of_steps(source: str, data: object) -> None:
    error = bomb(source, data)
    assert error.kind == "limit"
    assert error.message.startswith("template: more steps than an event may take (")
    assert error.message.endswith(
        ")\nLoops over large parts of the event cost most: range over less, or over a smaller event."
    )


@pytest.mark.parametrize(
    "source",
    [
        "{{range .l}}{{$.s}}{{end}}",
        "{{.s}}{{.s}}{{.s}}{{.s}}{{.s}}{{.s}}",
        "{{$x := .s}}{{range 40}}{{$x = print $x $x}}{{end}}{{$x}}",
    ],
)
def test_output_is_bounded(source: str) -> None:
    error = bomb(source, {"l": LIST, "s": "x" * 200_000})
    assert error.kind == "limit"


def test_a_template_that_calls_itself_ends_in_gos_words() -> None:
    error = bomb('{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}', {})
    assert error.kind == "limit"
    assert error.message == (
        'template: t:1:25: executing "x" at <{{template "x" .}}>: exceeded maximum template depth (100000)\n'
        "Here templates may call each other 320 deep; does one call itself?"
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('{{printf "%9999d" 1}}', "printf: a width or precision of 9999\nAt most 4096 is allowed."),
        ('{{printf "%.5000f" 1.0}}', "printf: a width or precision of 5000\nAt most 4096 is allowed."),
        ('{{printf "%*d" 100000 1}}', "printf: a width or precision of 100000\nAt most 4096 is allowed."),
    ],
)
def test_printf_has_a_largest_width(source: str, message: str) -> None:
    assert bomb(source, {}).message == message


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('{{repeat 300000000 "x"}}', "a string of 300000000 characters; at most 1048576 are allowed"),
        ("{{until 300000000}}", "a list of 300000000 items; at most 100000 are allowed"),
        ('{{indent 300000000 "x"}}', "a string of 300000001 characters; at most 1048576 are allowed"),
        ('{{replace "x" .s .s}}', "a string of 40000200000 characters; at most 1048576 are allowed"),
    ],
)
def test_functions_make_nothing_endless(source: str, fault: str) -> None:
    error = bomb(source, {"s": "x" * 200_000})
    assert error.message.endswith(fault)


def test_a_text_has_a_largest_size() -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse("é" * 40_000, "big")
    assert caught.value.kind == "limit"
    assert caught.value.message == "template: big: 80000 bytes; at most 65536 are allowed\nTake parts of it out."


def test_rendering_again_after_a_bomb_is_as_before() -> None:
    template = Template.parse("{{range .l}}{{range $.l}}{{.}}{{end}}{{end}}")
    render: Callable[[object], str] = template.render
    for _ in range(2):
        assert render({"l": [1, 2]}) == "1212"
        with pytest.raises(TemplateError):
            render({"l": LIST})


def test_data_nested_too_deeply_are_refused_not_crashed_on() -> None:
    data: object = "x"
    for _ in range(5000):
        data = [data]
    error = bomb("{{.}}{{.a}}", {"a": data})
    assert error.message == "template: t: nested too deeply\nTake parts of it out into templates of their own."
