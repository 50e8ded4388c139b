"""json mode: where an action stands decides what its value becomes, and the body is JSON or nothing is sent."""

import pytest

from streamhooks.template import Template, TemplateError


def rendered(source: str, data: object) -> str:
    return Template.parse(source, escape="json").render(data)


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ('{"v": "{{.v}}"}', {"v": 'a"b\\c\n\t\x01é\u2028'}, '{"v": "a\\"b\\\\c\\n\\t\\u0001é\u2028"}'),
        ('{"v": "<{{.v}}>"}', {"v": 'a"b'}, '{"v": "<a\\"b>"}'),
        ('{"v": {{.v}}}', {"v": 'a"b'}, '{"v": "a\\"b"}'),
        ('{"v": {{.v}}}', {"v": 12}, '{"v": 12}'),
        ('{"v": {{.v}}}', {"v": 1.0}, '{"v": 1}'),
        ('{"v": {{.v}}}', {"v": 1e21}, '{"v": 1e+21}'),
        ('{"v": {{.v}}}', {"v": True}, '{"v": true}'),
        ('{"v": {{.v}}}', {"v": None}, '{"v": null}'),
        ('{"v": {{.v}}}', {}, '{"v": null}'),
        ('{"v": {{.v}}}', {"v": float("nan")}, '{"v": null}'),
        ('{"v": {{.v}}}', {"v": {"b": [1, "x"], "a": None}}, '{"v": {"a":null,"b":[1,"x"]}}'),
        ('{"v": "{{.v}}"}', {}, '{"v": ""}'),
        ('{"v": "{{.v}}"}', {"v": None}, '{"v": ""}'),
        ('{"v": "{{.v}}"}', {"v": [1, "a"]}, '{"v": "[1 a]"}'),
        ('{"v": {{toJson .v}}}', {"v": {"a": "<"}}, '{"v": {"a":"\\u003c"}}'),
        ('{"v": {{.v | jsonMarshal}}}', {"v": "x"}, '{"v": "x"}'),
        ('{"v": "{{toJson .v}}"}', {"v": {"a": 1}}, '{"v": "{\\"a\\":1}"}'),
        ('{"v": {{printf "%q" .v}}}', {"v": 'a"\x00\x07'}, '{"v": "a\\"\\u0000\\u0007"}'),
        ('{"v": {{.v | printf "%q"}}}', {"v": "x"}, '{"v": "x"}'),
        ('{"v": {{$j := toJson .v}}{{$j}}}', {"v": [1]}, '{"v": [1]}'),
        ('{"n": {{len .v}}, {{if .v}}"a": "{{.v}}"{{else}}"b": {{.v}}{{end}}}', {"v": "x"}, '{"n": 1, "a": "x"}'),
        ('[{{range $i, $e := .l}}{{if $i}}, {{end}}"{{$e}}"{{end}}]', {"l": ["a", '"']}, '["a", "\\""]'),
        ('["{{template "q" .v}}", {{template "q" .v}}]{{define "q"}}{{.}}{{end}}', {"v": '"'}, '["\\"", "\\""]'),
    ],
)  # fmt: skip  # one case a line
def test_a_value_becomes_what_its_place_asks_for(source: str, data: object, expected: str) -> None:
    assert rendered(source, data) == expected
    assert Template.parse(source, escape="json").walk(data) == expected.encode()


def test_lone_surrogates_become_replacement_characters() -> None:
    assert rendered('{"v": "{{.v}}", "w": {{.v}}}', {"v": "a\ud800b"}) == '{"v": "a\ufffdb", "w": "a\ufffdb"}'


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            '{"v": "{{if .a}}x"{{else}}y{{end}}}',
            (
                "template: t:1:12: the branches of this if end in different places: "
                "outside strings and inside a string\n"
                "Open and close in the same branch, so that what follows has one place."
            ),
        ),
        (
            '{"v": {{range .l}}"{{end}}}',
            (
                "template: t:1:14: this range begins and ends its turns in different places: "
                "outside strings and inside a string\n"
                "Open and close in the same branch, so that what follows has one place."
            ),
        ),
        (
            '{"v": "\\{{.a}}"}',
            (
                "template: t:1:10: an action stands after a backslash, "
                "where its value would become part of the escape\n"
                'Write the backslash as "\\\\", or put a character between.'
            ),
        ),
        (
            '{"v": "\\u00{{.a}}"}',
            (
                "template: t:1:13: an action stands inside a \\u escape, "
                "where its value would become part of the escape\n"
                'Write the backslash as "\\\\", or put a character between.'
            ),
        ),
        ('{"v": "{{.a}}', 'template: t:1:13: the text ends inside a JSON string\nClose the string with a `"`.'),
        (
            '{{define "d"}}{{if .}}{{template "d"}}{{end}}"{{end}}{{template "d"}}',
            (
                "template: t:1:64: the template d calls itself and ends in another place than it begins\n"
                "Let it end where it begins."
            ),
        ),
    ],
)
def test_a_template_whose_places_are_not_sure_is_refused(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, escape="json")
    assert caught.value.kind == "escape"
    assert caught.value.message == message


def test_a_break_ends_a_turn_where_it_stands() -> None:
    source = '["{{range .l}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}"]'
    assert rendered(source, {"l": ["a", "b", "c"]}) == '["a"]'
    with pytest.raises(TemplateError) as caught:
        Template.parse('[{{range .l}}"{{break}}"{{end}}]', escape="json")
    assert caught.value.message.startswith("template: t:1:16: this range begins and ends its turns in different places")


def test_a_body_that_is_no_json_is_never_rendered() -> None:
    with pytest.raises(TemplateError) as caught:
        rendered('{"a": {{.a}} "b": 1}', {"a": 1})
    assert caught.value.kind == "json"
    assert caught.value.message == (
        "template: t: the rendered body is no JSON: JSON is malformed: expected ',' or '}' (byte 8), "
        'near "{\\"a\\": 1 \\"b\\": 1}"\n'
        'Look for a missing comma or quote beside an action; with "escape: text" the body is sent as it is.'
    )


def test_the_escaped_tree_prints_its_escapers() -> None:
    template = Template.parse('{"a": "{{.a}}", "b": "x{{.b}}", "c": {{.c}}}', escape="json")
    assert str(template) == '{"a": {{.a | _json_whole}}, "b": "x{{.b | _json_string}}", "c": {{.c | _json_value}}}'
