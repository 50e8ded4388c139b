"""Formats that random comparison with the real Go once found wrong; the answers are Go's."""

import pytest

from streamhooks.template import Template


@pytest.mark.parametrize(
    ("layout", "value", "expected"),
    [
        ("%.2T|", 255, "in|"),
        ("%f", b"hi", "[%!f(uint8=104) %!f(uint8=105)]"),
        ("%#8x|", 1.5, "0x1.8000p+00|"),
        ("%#X", -0.0, "-0X0.P+00"),
        ("%#x", 2.0, "0x1.0000p+01"),
        ("%#6v", b"hi", "[]byte{  0x68,   0x69}"),
        ("%#q", b"hi\xff", '"hi\\xff"'),
        ("%#q", "a\tb", "`a\tb`"),
        ("%", None, "%!(NOVERB)%!(EXTRA <nil>)"),
        ("x", None, "x%!(EXTRA <nil>)"),
        ("%[2]*d", 1, "%!d(BADINDEX)"),
    ],
)
def test_printf_prints_what_go_prints(layout: str, value: object, expected: str) -> None:
    template = Template.parse(f"{{{{printf `{layout}` .v}}}}")
    assert template.render({"v": value}) == expected
    assert template.walk({"v": value}) == expected.encode()
