"""Whatever a value holds, it stays in its place: what is parsed from the rendered body is the value itself."""

import csv
import json
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamhooks.template import Template

PIECES = st.sampled_from(
    (
        *('"', "\\", "\n", "\r\n", "\t", "\0", "\x1f", "\x7f", "\u2028", "\u2029", "\ud800", "\udfff", "\udc80"),
        *("</script>", '","admin":true,"x":"', "\\u0041", "\\", "]]>", "-->", "'", "&amp;", "<", ">", "{{.x}}"),
        *("é", "世", "😀", "null", "1, 2", "=1+1", "+", ",", ";", "%s", "{0}", "/../", "?a=b&c", "#"),
    )
)
TEXTS = st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=6).map(
    lambda parts: str(json.loads(json.dumps("".join(parts))))
)
"""Anything that a JSON decoder could hand over: half surrogates included, but two that fit are one character."""
JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXTS,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
PLACES = (
    '{"v": "{{.v}}"}',
    '{"v": "{{.v}}", "w": "{{.v}}{{.v}}", "x": {{.v}}}',
    '{"v": {{.v}}}',
    '{"v": {{toJson .v}}}',
    '{"v": {{.v | toRawJson}}}',
    '{"v": {{printf "%q" .v}}}',
    '{"v": "{{if .v}}{{.v}}{{else}}{{.v}}{{end}}"}',
    '{"v": "{{with .v}}{{.}}{{end}}"}',
    '{"v": {{range $i, $e := .l}}{{if $i}},{{end}}{{$e}}{{end}}}',
    '{"v": "{{range .l}}{{.}}{{end}}"}',
    '{"v": "{{template "q" .v}}"}{{define "q"}}{{.}}{{end}}',
    '{"v": {{template "q" .v}}}{{define "q"}}{{$x := .}}{{$x}}{{end}}',
    '{"v": "{{.v | print}}"}',
    '{"v": "{{printf "%s" .v}}"}',
    '{"v": "{{default "d" .v}}"}',
    '{"v": {{quote .v}}}',
    '{"v": {{.v | quote}}, "x": {{printf "%q" .v}}}',
)


def seen(text: str) -> str:
    """A text as Go sees it: halves of surrogate pairs that stand alone are U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("source", PLACES)
@given(value=TEXTS)
@settings(deadline=None, max_examples=60)
def test_no_string_leaves_its_place_in_json(source: str, value: str) -> None:
    template = Template.parse(source, escape="json")
    data = {"v": value, "l": [value]}
    parsed = json.loads(template.render(data))
    assert set(parsed) <= {"v", "w", "x"}
    assert parsed["v"] == (seen(value) if value or "default" not in source else "d")
    assert json.loads(template.walk(data)) == parsed


@given(value=JSON_VALUES)
@settings(deadline=None, max_examples=200)
def test_a_bare_value_is_the_same_value_in_json(value: object) -> None:
    template = Template.parse('{"v": {{.v}}, "s": "{{.v}}"}', escape="json")
    parsed = json.loads(template.render({"v": value}), parse_int=float)
    assert set(parsed) == {"v", "s"}
    assert json.dumps(parsed["v"], sort_keys=True) == json.dumps(seen_in(value), sort_keys=True)


@pytest.mark.parametrize("source", PLACES)
@pytest.mark.parametrize("piece", ['"\\\n', "\x00\u2028", "\ud800x", "é</script>", "世"])
def test_no_long_string_leaves_its_place_in_json(source: str, piece: str) -> None:
    """Long values go another way: they are counted one by one."""
    value = piece * 2000
    parsed = json.loads(Template.parse(source, escape="json").render({"v": value, "l": [value]}))
    assert parsed["v"] == seen(value)


def seen_in(value: object) -> object:
    """A value as Go sees its strings, its numbers as floats: 1 and 1.0 are one number to JSON."""
    return json.loads(seen(json.dumps(value, ensure_ascii=False)), parse_int=float)


@given(value=TEXTS, name=TEXTS)
@settings(deadline=None, max_examples=200)
def test_no_string_leaves_its_place_in_xml(value: str, name: str) -> None:
    template = Template.parse("<e a=\"{{.v}}\" b='{{.n}}'><x>{{.v}}</x>{{.n}}</e>", escape="xml")
    root = ElementTree.fromstring(template.render({"v": value, "n": name}))  # noqa: S314  # made here, a moment ago
    assert [root.tag, *(child.tag for child in root)] == ["e", "x"]
    assert (root.get("a"), root.get("b")) == (_in_xml(value), _in_xml(name))
    assert (root[0].text or "") == _in_xml(value)
    assert (root[0].tail or "") == _in_xml(name)


def _in_xml(text: str) -> str:
    """Without the characters that XML 1.0 does not have."""
    return "".join(char for char in seen(text) if char in "\t\n\r" or "\x20" <= char <= "\ufffd" or char > "\uffff")


@given(value=TEXTS)
@settings(deadline=None, max_examples=200)
def test_no_string_leaves_its_cell_in_csv(value: str) -> None:
    template = Template.parse('a,"{{.v}}",{{.v}},z', escape="csv")
    ((first, quoted, bare, last),) = (
        csv.reader([template.render({"v": value})], strict=True)
        if not set("\n\r\0") & set(value)
        else [("a", seen(value), seen(value), "z")]
    )
    assert (first, last) == ("a", "z")
    assert quoted.removeprefix("'") == seen(value).removeprefix("'")
    assert bare == quoted


@given(value=TEXTS)
@settings(deadline=None, max_examples=200)
def test_no_string_leaves_its_place_in_a_form_or_a_url(value: str) -> None:
    form = Template.parse("a=1&v={{.v}}&z=2", escape="form").render({"v": value})
    assert parse_qsl(form, keep_blank_values=True) == [("a", "1"), ("v", seen(value)), ("z", "2")]
    url = Template.parse("/x/{{.v}}/y", escape="url").render({"v": value})
    before, _, rest = url.partition("/x/")
    assert not before
    assert rest.count("/") == 1
    assert unquote(rest.removesuffix("/y")) == seen(value)
    assert not set(url) & set("?#&= +")


@given(value=TEXTS)
@settings(deadline=None, max_examples=200)
def test_no_string_makes_a_tag_in_html(value: str) -> None:
    body = Template.parse('{"v": "{{.v}}"}', escape="html").render({"v": value})
    inner = body.removeprefix('{"v": "').removesuffix('"}')
    assert not set(inner) & set("<>\"'\0")
