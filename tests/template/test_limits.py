"""A hostile template or event ends with a clear error, always in the same way: by counts, never by the clock.

How long that takes is measured by `scripts/bench templates --bombs`.
"""

from collections.abc import Callable

import pytest

from streamhooks.template import Template, TemplateError
from streamhooks.template.costs import USUAL, Price, weight
from streamhooks.template.escape import ESCAPERS
from streamhooks.template.functions.catalogue import CATALOGUE
from streamhooks.template.limits import OUTPUT_CHARS, STEPS, Meter
from tests.template.bombs import BOMBS, DATA, SOURCES, Bomb


def failure(render: Callable[[], object]) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        render()
    return caught.value


def bomb(source: str, data: object) -> TemplateError:
    return failure(lambda: Template.parse(source).render(data))


LIST = list(range(3000))


@pytest.mark.parametrize("hostile", BOMBS, ids=lambda bomb: bomb.name)
def test_a_bomb_ends_the_same_way_each_time_and_in_both_ways_of_running(hostile: Bomb) -> None:
    template, data = hostile.parse(), DATA[hostile.data]()
    for render in (template.render, template.render, template.walk):
        if not hostile.ends:
            assert len(render(data)) <= OUTPUT_CHARS
            continue
        error = failure(lambda render=render: render(data))  # type: ignore[misc]  # bound at once
        assert error.kind in (hostile.ends, "limit")
        assert "\n" in error.message or error.kind == "exec"


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_the_largest_texts_are_read_or_refused(source: str) -> None:
    def kind(run: Callable[[], object]) -> str:
        try:
            run()
        except TemplateError as error:
            return error.kind
        return ""

    if kind(lambda: Template.parse(source)) != "parse":
        template = Template.parse(source)
        assert len(template.fields()) <= 10_000
        assert kind(lambda: template.render({"a": "x"})) in ("", "exec", "limit")


def test_a_body_that_no_json_reader_would_read_is_refused() -> None:
    error = failure(lambda: Template.parse("[" * 60_000, escape="json").render({}))
    assert error.kind == "limit"
    assert error.message == (
        "template: t: the rendered body is JSON that is nested too deeply\nLet it have fewer levels."
    )


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("{{range .l}}{{range $.l}}{{.}}{{end}}{{end}}", {"l": LIST}),
        ("{{range 100000000}}{{.}}{{end}}", {}),
        ("{{range $i := 99999}}{{range 99999}}{{end}}{{end}}", {}),
        ("{{.l}}", {"l": [0] * 200_000}),
        ("{{if print .l}}{{end}}" * 40, {"l": LIST}),
        ("{{if eq .l .l}}{{end}}", {"l": [0] * 200_000}),
        ("{{range .l}}{{if sortAlpha $.l}}{{end}}{{end}}", {"l": LIST}),
        ("{{range .l}}{{if upper $.s}}{{end}}{{end}}", {"l": LIST, "s": "x" * 200_000}),
        ("{{range .l}}{{.n}}{{end}}{{.l.x}}", {"l": [{"n": 1}] * 25_000}),
    ],
)
def test_what_takes_too_many_steps_says_so(source: str, data: object) -> None:
    assert bomb(source, data).message == (
        "template: more steps than an event may take (100000)\n"
        "Loops over large parts of the event, and large parts that are printed or given to functions, cost most: take "
        "less of it."
    )


def test_the_walker_goes_on_with_what_the_compiled_form_left() -> None:
    """A render has one account, whichever way it goes: the sum counts."""
    template = Template.parse("{{range 8400}}{{if $.s}}{{end}}{{end}}{{.s.x}}")
    assert failure(lambda: template.walk({"s": "x"})).kind == "exec"
    assert failure(lambda: template.render({"s": "x"})).kind == "limit"
    assert failure(lambda: Template.parse(template.source.replace("8400", "8000")).render({"s": "x"})).kind == "exec"


def test_what_is_printed_is_paid_for_by_its_items_all_the_way_in() -> None:
    def steps(value: object) -> int:
        return weight((value,), STEPS)

    assert steps("x" * 63) == steps(7) == steps(None) == 0
    assert steps("x" * 640) == 10
    assert steps([1] * 100) == 102
    assert steps([1.5] * 100) == 502
    assert steps({"a": 1, "b": [2, 3]}) == 16
    inside: object = [1, 2]
    for _ in range(60):
        inside = [inside, inside]
    assert steps(inside) > STEPS  # it stops counting long before the 2**61 items are counted


def test_a_price_counts_arguments_before_anything_is_done_with_them() -> None:
    price = Price(text=16, wide=64, deep=3, fee=2)
    assert price.steps(["x" * 6400, 7, None], STEPS) == 2 + 1600
    assert price.steps(["é" * 6400], STEPS) == 2 + 6400
    assert price.steps([[1] * 100], STEPS) == 2 + 3 * 102
    meter = Meter()
    with pytest.raises(TemplateError):
        meter.pay(price, ["é" * 200_000])


def test_every_function_has_a_price_of_its_own() -> None:
    assert [name for name, known in {**CATALOGUE, **ESCAPERS}.items() if known.price is USUAL] == []


def test_functions_of_the_caller_pay_for_each_character() -> None:
    template = Template.parse("{{shout .s}}", functions={"shout": lambda text: text})
    assert template.render({"s": "x" * 90_000}) == "x" * 90_000
    assert failure(lambda: template.render({"s": "x" * 110_000})).kind == "limit"


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
    assert "characters" in error.message


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
