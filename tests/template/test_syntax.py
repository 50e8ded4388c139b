"""Lexer and parser: each stage has a value that prints, and the tree prints as Go prints it."""

import pytest

from streamhooks.template import TemplateError
from streamhooks.template.functions.catalogue import CATALOGUE
from streamhooks.template.lexer import tokens
from streamhooks.template.nodes import Kind
from streamhooks.template.parser import parse

NAMES = frozenset(CATALOGUE)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a{{.b}}c", 'text "a", left delim "{{", field ".b", right delim "}}", text "c", EOF EOF'),
        ("x \n{{- 1 -}}\n y", 'text "x", left delim "{{", number "1", right delim "}}", text "y", EOF EOF'),
        ("{{/* {{x}} */}}", "EOF EOF"),
        ('{{$x := print "a" | len}}', None),
        ("{{if nil}}", 'left delim "{{", if <if>, space " ", nil <nil>, right delim "}}", EOF EOF'),
        ("{{@", 'left delim "{{", char "@", error unclosed action'),
        ("{{1+2i}}", 'left delim "{{", complex "1+2i", right delim "}}", EOF EOF'),
    ],
)  # fmt: skip  # one case a line
def test_text_becomes_tokens(source: str, expected: str | None) -> None:
    found = list(tokens(source))
    if expected is not None:
        assert ", ".join(f"{token.kind.value} {token}" for token in found) == expected
    assert found[-1].kind in (Kind.EOF, Kind.ERROR)
    for token in found:
        if token.kind not in (Kind.EOF, Kind.ERROR):
            assert source.startswith(token.text, token.pos)


def test_a_token_knows_its_line() -> None:
    lines = [(token.text, token.line) for token in tokens("a\n{{.b}}\n\n{{.c\n.d}}")]
    assert lines[2] == (".b", 2)
    assert lines[6] == (".c", 4)
    assert lines[8] == (".d", 5)


@pytest.mark.parametrize(
    "source",
    [
        "plain",
        '{{.a.b | printf "%s" 1 $.x | len}}',
        "{{$x := 1}}{{$x = 0x1F}}{{$x}}",
        "{{if and .a (not .b)}}x{{else}}y{{end}}",
        "{{with $y := (index .l 0).name}}{{.}}{{end}}",
        "{{range $i, $e := .l}}{{if $i}}{{break}}{{end}}{{continue}}{{else}}none{{end}}",
        '{{template "t" .}}{{template "t"}}',
        "{{'a'}}{{`raw`}}{{nil | print}}{{true}}{{1.50}}",
    ],
)
def test_a_tree_prints_what_it_was_made_from(source: str) -> None:
    assert str(parse("t", source, NAMES)["t"].body) == source


def test_else_if_prints_as_the_nested_if_that_it_is() -> None:
    tree = parse("t", "{{if 1}}a{{else if 2}}b{{else}}c{{end}}", NAMES)["t"]
    assert str(tree.body) == "{{if 1}}a{{else}}{{if 2}}b{{else}}c{{end}}{{end}}"


def test_definitions_are_trees_of_their_own() -> None:
    trees = parse("main", 'x{{define "a"}}A{{end}}{{block "b" .x}}B{{end}}', NAMES)
    assert {name: str(tree.body) for name, tree in trees.items()} == {
        "main": 'x{{template "b" .x}}',
        "a": "A",
        "b": "B",
    }


def test_a_place_is_a_line_and_a_column_in_bytes() -> None:
    tree = parse("t", "é\né{{.a.b}}", NAMES)["t"]
    assert tree.place(6) == "t:2:5"


def test_nesting_is_bounded() -> None:
    for source in ("{{if 1}}" * 300 + "{{end}}" * 300, "{{" + "(" * 300 + "1" + ")" * 300 + "}}"):
        with pytest.raises(TemplateError) as caught:
            parse("t", source, NAMES)
        assert caught.value.kind == "limit"
        assert caught.value.message == (
            "template: t:1: more than 200 blocks or 256 parentheses inside each other\n"
            "Take parts of it out into templates of their own with define."
        )
