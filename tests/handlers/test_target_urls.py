"""Where a handler sends: what a URL may be, and what becomes of it."""

import pytest

from streamhooks.handlers.actions import pieces
from streamhooks.handlers.target import parse_target
from streamhooks.settings.rules import RefusedError


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://hooks.example.com/services/T1", "https://hooks.example.com", "/services/T1"),
        ("HTTPS://Hooks.Example.COM:443", "https://hooks.example.com", "/"),
        ("http://a.example.com:8080?x=1", "http://a.example.com:8080", "/?x=1"),
        ("http://a.example.com:80/", "http://a.example.com", "/"),
        ("http://a.example.com:/", "http://a.example.com", "/"),
        ("https://a.example.com./x", "https://a.example.com", "/x"),
        ("http://bücher.example/ä?q=ö", "http://xn--bcher-kva.example", "/%C3%A4?q=%C3%B6"),
        ("http://localhost/a%2Fb", "http://localhost", "/a%2Fb"),
        ("http://my_service:9000/x", "http://my_service:9000", "/x"),
        ("http://127.0.0.1:16500/get", "http://127.0.0.1:16500", "/get"),
        ("http://[::1]:8080/", "http://[::1]:8080", "/"),
        ("http://[2001:DB8:0::1]/", "http://[2001:db8::1]", "/"),
        ('http://a.example.com/<a>"b"^{c}', "http://a.example.com", "/%3Ca%3E%22b%22%5E%7Bc%7D"),
        ("http://a.example.com/?a=%&b=?", "http://a.example.com", "/?a=%&b=?"),
        ("http://a.example.com/?to=http://b/#".rstrip("#"), "http://a.example.com", "/?to=http://b/"),
    ],
)
def test_a_url_gives_its_origin_and_its_encoded_path(url: str, origin: str, path: str) -> None:
    target = parse_target(url)
    assert (target.origin, target.path, target.templated) == (origin, path, False)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a.example.com/{{.Type}}", "/{{.Type}}"),
        ("http://a.example.com/ä/{{ .Meta.Key }}?q={{.Type}}&ö", "/%C3%A4/{{ .Meta.Key }}?q={{.Type}}&%C3%B6"),
        ('http://a.example.com/{{ printf "}} # ä" }}/x', '/{{ printf "}} # ä" }}/x'),
        ("http://a.example.com?x={{.ID}}", "/?x={{.ID}}"),
        ("http://a.example.com/{{ .Type", "/{{ .Type"),
    ],
)
def test_a_path_with_actions_is_encoded_outside_of_them_only(url: str, path: str) -> None:
    target = parse_target(url)
    assert (target.path, target.templated) == (path, True)


ABSOLUTE = "must be an absolute URL that starts with http:// or https://"
STATIC = "must name scheme, host and port itself; template actions are for path and query"
HOST = "must name a host that is a valid domain name"
IPV4 = "must write an IP address in full, as four numbers from 0 to 255"
IPV6 = "must write an IP address in full, as an IPv6 address without a zone in brackets"
PORT = "must have a port from 1 to 65535"
SPACE = "must not hold a space or control character; write a space as %20"
COLON = "must name a host, and after a colon its port"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/hook", ABSOLUTE),
        ("hooks.example.com/x", ABSOLUTE),
        ("ftp://a.example.com/", ABSOLUTE),
        ("http:/a.example.com/", ABSOLUTE),
        (" http://a.example.com/", ABSOLUTE),
        ("{{.Meta.URL}}", STATIC),
        ("{{.Scheme}}://a.example.com/", STATIC),
        ("http://{{.Meta.Host}}/", STATIC),
        ("http://a.example.com:{{.Port}}/", STATIC),
        ("http://a{{`/`}}b/", STATIC),
        (
            "http://u:p@a.example.com/",
            "must not hold a user or password; send them by header_map: {Authorization: ...}",
        ),
        ("http://a.example.com/#top", "must not hold a fragment (#...): it is never sent; write a literal # as %23"),
        (
            "http://a.example.com/{{.ID}}#top",
            "must not hold a fragment (#...): it is never sent; write a literal # as %23",
        ),
        ("http://", COLON),
        ("http://:80/", COLON),
        ("http://a:b/", COLON),
        ("http://a:80:80/", COLON),
        ("http://::1/", COLON),
        ("http://a.example.com:0/", PORT),
        ("http://a.example.com:65536/", PORT),
        ("http://a.example.com:99999999999/", PORT),
        ("http://a b/", HOST),
        ("http://a..b/", HOST),
        ("http://-a.example/", HOST),
        ("http://%41.example/", HOST),
        ("http://a\\@b/".replace("@", ""), HOST),
        ("http://a\u200b.example\u2024/", HOST),
        (f"http://{'a' * 64}.example/", HOST),
        (f"http://{'a.' * 130}example/", HOST),
        ("http://2130706433/", IPV4),
        ("http://127.1/", IPV4),
        ("http://0177.0.0.1/", IPV4),
        ("http://0x7f.1/", IPV4),
        ("http://0x7f000001/", IPV4),
        ("http://1.2.3.256/", IPV4),
        ("http://[::1%lo]/", IPV6),
        ("http://[::1%25lo]/", IPV6),
        ("http://[127.0.0.1]/", IPV6),
        ("http://[]/", IPV6),
        ("http://a.example.com/a b", SPACE),
        ("http://a.example.com/a\r\nX: y", SPACE),
        ("http://a.example.com/100%", "must write a literal % of the path as %25"),
    ],
)
def test_what_is_no_target_is_refused(url: str, message: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        parse_target(url)
    assert str(refusal.value) == message


@pytest.mark.parametrize("host", ["127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1", "\uff11\uff12\uff17.0.0.1"])
def test_a_number_in_another_script_is_the_address_that_it_is_folded_to(host: str) -> None:
    assert parse_target(f"http://{host}/").host == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a{{b}}c", [(False, "a"), (True, "{{b}}"), (False, "c")]),
        ("{{`}}`}}", [(True, "{{`}}`}}")]),
        ('{{"\\"}}"}}', [(True, '{{"\\"}}"}}')]),
        ("{{'\"'}}x", [(True, "{{'\"'}}"), (False, "x")]),
        ("{{/* it's }} \" */}}x", [(True, "{{/* it's }} \" */}}"), (False, "x")]),
        ("{{- /* ' */ -}}x", [(True, "{{- /* ' */ -}}"), (False, "x")]),
        ("{{ open", [(False, "{{ open")]),
        ('{{ "open }}', [(False, '{{ "open }}')]),
        ("{{ /* open }}", [(False, "{{ /* open }}")]),
        ("", []),
    ],
)  # fmt: skip
def test_actions_are_found_as_by_gos_lexer(text: str, expected: list[tuple[bool, str]]) -> None:
    assert list(pieces(text)) == expected
