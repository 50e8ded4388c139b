"""xml, csv, form, url and html: where an action may stand, what its value becomes there, and what is refused."""

import pytest

from streamhooks.template import Template, TemplateError


@pytest.mark.parametrize(
    ("mode", "source", "data", "expected"),
    [
        ("xml", "<a>{{.v}}</a>", {"v": "<&>\"'"}, "<a>&lt;&amp;&gt;&quot;&apos;</a>"),
        ("xml", '<a b="{{.v}}"/>', {"v": "x\ny"}, '<a b="x&#10;y"/>'),
        ("xml", "<a>{{.v}}</a>", {"v": "a\x00\x0bb\ufffe"}, "<a>ab</a>"),
        ("xml", "<a>{{.v}}</a>", {}, "<a></a>"),
        ("xml", "<?xml version='1'?><!-- <x> --><a>{{.v}}</a>", {"v": 1}, "<?xml version='1'?><!-- <x> --><a>1</a>"),
        ("xml", "<a>{{xmlMarshal .v}}</a>", {"v": {"b": "<"}}, "<a><b>&lt;</b></a>"),
        ("csv", '"{{.v}}",{{.n}}', {"v": 'a"b', "n": 5}, '"a""b",5'),
        ("csv", "{{.v}},{{.w}}", {"v": 'a,"b', "w": "x y"}, '"a,""b",x y'),
        ("csv", "{{.v}},{{.n}}", {"v": "=1+1", "n": -5}, "'=1+1,-5"),
        ("csv", "{{.v}},{{.w}}", {"v": "+31", "w": "-x"}, "+31,'-x"),
        ("form", "a={{.v}}", {"v": "a b&c=d+é"}, "a=a+b%26c%3Dd%2B%C3%A9"),
        ("form", "a={{.v}}", {}, "a="),
        ("url", "/{{.v}}?q={{.w}}", {"v": "a/b", "w": "x y&z"}, "/a%2Fb?q=x%20y%26z"),
        ("html", '{"v": "{{.v}}"}', {"v": "a+b<\"'&"}, '{"v": "a&#43;b&lt;&#34;&#39;&amp;"}'),
        ("html", "a < b {{.v}} <3", {"v": None}, "a &lt; b  &lt;3"),
        ("html", "<p>{{.v}}</p><!-- {{.v}} -->", {"v": "<"}, "<p>&lt;</p>"),
        ("html", '<p title="{{.v}}">', {"v": '">'}, '<p title="&#34;&gt;">'),
        ("html", "<!DOCTYPE html>{{.v}}", {"v": 1}, "<!DOCTYPE html>1"),
        ("html", "{{.v | html}}{{html .v}}", {"v": "+<"}, "+&lt;+&lt;"),
        ("text", "{{.v}}", {"v": '<"&'}, '<"&'),
    ],
)  # fmt: skip  # one case a line
def test_a_value_is_escaped_for_its_place(mode: str, source: str, data: object, expected: str) -> None:
    template = Template.parse(source, escape=mode)  # type: ignore[arg-type]  # the modes are checked by parse
    assert template.render(data) == expected
    assert template.walk(data) == expected.encode()


@pytest.mark.parametrize(
    ("mode", "source", "message"),
    [
        (
            "xml",
            "<a {{.v}}='1'/>",
            (
                "template: t:1:5: an action stands inside a tag, where no escaping can keep its value in its place\n"
                "Put it into an element's text or a quoted attribute."
            ),
        ),
        (
            "xml",
            "<a><![CDATA[{{.v}}]]></a>",
            (
                "template: t:1:14: an action stands in a CDATA section, "
                "where no escaping can keep its value in its place\n"
                "Put it into an element's text or a quoted attribute."
            ),
        ),
        ("xml", "<a>{{.v}}<!-- ", "template: t:1:14: the text ends in a comment\nClose it."),
        ("csv", 'a,"{{.v}}', 'template: t:1:9: the text ends between quotes\nClose them with a `"`.'),
        (
            "html",
            '<a href="{{.v}}">',
            (
                "html/template:t:1:11: html mode would treat the attribute href as a URL, a script or a style\n"
                "Use escape json, xml or text; html mode is for bodies that are plain text to an HTML parser."
            ),
        ),
        (
            "html",
            "x\n<script>{{.v}}</script>",
            (
                "html/template:t:1:0: html mode would treat what follows <script as HTML with rules of its own\n"
                "Use escape json, xml or text; html mode is for bodies that are plain text to an HTML parser."
            ),
        ),
        (
            "html",
            '{"text": "<https://x.y|{{.v}}>"}',
            (
                "html/template:t:1:25: an action inside a tag would be a name of an element or attribute\n"
                "Use escape json, xml or text; html mode is for bodies that are plain text to an HTML parser."
            ),
        ),
    ],
)
def test_a_place_that_no_escaping_makes_safe_is_refused(mode: str, source: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source, escape=mode)  # type: ignore[arg-type]  # the modes are checked by parse
    assert caught.value.kind == "escape"
    assert caught.value.message == message


def test_an_unknown_mode_is_named_with_the_known_ones() -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse("x", escape="yaml")  # type: ignore[arg-type]  # that is the point
    assert caught.value.message == (
        "template: t: no escape 'yaml' with missingkey 'default'\n"
        "escape is one of text, json, xml, csv, form, url, html; missingkey one of default, invalid, zero, error."
    )
