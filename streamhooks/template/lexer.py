"""Template text to tokens, one at a time: the parser's messages name the line of the last token that was read.

Outside actions there is only text; trim markers take white space (space, tab, CR, LF and nothing else) from the text
beside them. Inside, one regular expression finds each token; what may follow a word or a number is checked apart,
because Go tells those mistakes by messages of their own. After an ERROR token no other comes.
"""

import re
from collections.abc import Iterator

from streamhooks.template.literals import quote
from streamhooks.template.nodes import KEYWORDS, Kind, Token

SPACES = " \t\r\n"
_SPACE_RUN = re.compile(r"[ \t\r\n]+")
_ASCII_WORD = re.compile(r"[A-Za-z0-9_]*")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"')
_RAW = re.compile(r"`[^`]*`")
_CHAR = re.compile(r"'(?:[^'\\\n]|\\[^\n])*'")
_NUMBER = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?"
)
_SINGLE = {"=": Kind.ASSIGN, "|": Kind.PIPE}


def tokens(
    source: str, left: str = "{{", right: str = "}}", functions_named: frozenset[str] = frozenset()
) -> Iterator[Token]:
    """The tokens of a template. `functions_named` says which of break and continue are functions here."""
    yield from _Lexer(source, left, right, functions_named).run()


def is_word_char(char: str) -> bool:
    """Whether it may stand in a name: `_`, letters, decimal digits (² is neither)."""
    return char == "_" or char.isalpha() or char.isdecimal()


def code_point(char: str) -> str:
    """`U+00A0`, or `U+002D '-'` if it can be shown: Go's %#U."""
    code = ord(char)
    if 0xD800 <= code < 0xE000:
        code, char = 0xFFFD, "\ufffd"
    return f"U+{code:04X} '{char}'" if char.isprintable() else f"U+{code:04X}"


class _Lexer:
    """A position in the text; `start` and `line` are those of the token under way."""

    __slots__ = ("functions_named", "left", "line", "parens", "pos", "right", "source", "start")

    def __init__(self, source: str, left: str, right: str, functions_named: frozenset[str]) -> None:
        self.source = source
        self.left = left
        self.right = right
        self.functions_named = functions_named
        self.pos = self.start = 0
        self.line = 1
        self.parens = 0

    def run(self) -> Iterator[Token]:
        while True:
            at = self.source.find(self.left, self.pos)
            if at < 0:
                break
            text = self.source[self.pos : at]
            inside = at + len(self.left)
            trims = self.source[inside : inside + 1] == "-" and self.source[inside + 1 : inside + 2] in tuple(SPACES)
            if trims:
                text = text.rstrip(SPACES)
            if text:
                self.pos += len(text)
                yield self.emit(Kind.TEXT)
            self.skip_to(at)
            opening = inside + 2 if trims else inside
            if self.source.startswith("/*", opening):
                fault = self.comment(opening)
                if fault:
                    yield fault
                    return
                continue
            self.pos = inside
            yield self.emit(Kind.LEFT_DELIM)
            self.skip_to(opening)
            for token in self.action():
                yield token
                if token.kind is Kind.ERROR:
                    return
        self.pos = len(self.source)
        if self.pos > self.start:
            yield self.emit(Kind.TEXT)
        yield Token(Kind.EOF, "EOF", self.pos, self.line)

    def emit(self, kind: Kind) -> Token:
        """The token from start to here."""
        text = self.source[self.start : self.pos]
        token = Token(kind, text, self.start, self.line)
        self.line += text.count("\n")
        self.start = self.pos
        return token

    def skip_to(self, pos: int) -> None:
        """Go on without a token."""
        self.line += self.source.count("\n", self.start, pos)
        self.start = self.pos = pos

    def error(self, message: str) -> Token:
        return Token(Kind.ERROR, message, self.start, self.line)

    def comment(self, opening: int) -> Token | None:
        self.skip_to(opening)
        end = self.source.find("*/", opening + 2)
        if end < 0:
            return self.error("unclosed comment")
        self.pos = end + 2
        closes, trims = self.at_right()
        if not closes:
            return self.error("comment ends before closing delimiter")
        self.close(trims)
        return None

    def at_right(self) -> tuple[bool, bool]:
        """Whether the action ends here, and whether it trims."""
        source, pos = self.source, self.pos
        if source[pos + 1 : pos + 2] == "-" and source[pos] in SPACES and source.startswith(self.right, pos + 2):
            return True, True
        return source.startswith(self.right, pos), False

    def close(self, trims: bool) -> None:
        """Go past the right delimiter, and past the white space that it trims."""
        end = self.pos + (2 if trims else 0) + len(self.right)
        if trims:
            space = _SPACE_RUN.match(self.source, end)
            end = space.end() if space else end
        self.skip_to(end)

    def action(self) -> Iterator[Token]:
        """Everything up to and with the right delimiter."""
        self.parens = 0
        while True:
            closes, trims = self.at_right()
            if closes:
                if self.parens:
                    yield self.error("unclosed left paren")
                    return
                if trims:
                    self.skip_to(self.pos + 2)
                self.pos += len(self.right)
                yield self.emit(Kind.RIGHT_DELIM)
                if trims:
                    space = _SPACE_RUN.match(self.source, self.pos)
                    self.skip_to(space.end() if space else self.pos)
                return
            yield self.next_token()

    def next_token(self) -> Token:
        source, pos = self.source, self.pos
        char = source[pos : pos + 1]
        if not char:
            return self.error("unclosed action")
        if char in SPACES:
            return self.space()
        if char == "." and pos + 1 < len(source) and not "0" <= source[pos + 1] <= "9":
            return self.name(Kind.FIELD, Kind.DOT)
        if char in "+-." or "0" <= char <= "9":
            return self.number()
        if char == "$":
            return self.name(Kind.VARIABLE, Kind.VARIABLE)
        if is_word_char(char):
            return self.word()
        return self.punctuation(char)

    def punctuation(self, char: str) -> Token:
        if char == '"':
            return self.literal(_QUOTED, Kind.STRING, "unterminated quoted string")
        if char == "`":
            return self.literal(_RAW, Kind.RAW_STRING, "unterminated raw quoted string")
        if char == "'":
            return self.literal(_CHAR, Kind.CHAR_CONSTANT, "unterminated character constant")
        self.pos += 1
        if char == "(":
            self.parens += 1
            return self.emit(Kind.LEFT_PAREN)
        if char == ")":
            if not self.parens:
                return self.error("unexpected right paren")
            self.parens -= 1
            return self.emit(Kind.RIGHT_PAREN)
        if char == ":":
            if self.source[self.pos : self.pos + 1] != "=":
                return self.error("expected :=")
            self.pos += 1
            return self.emit(Kind.DECLARE)
        if char.isascii() and char.isprintable():
            return self.emit(_SINGLE.get(char, Kind.CHAR))
        return self.error(f"unrecognized character in action: {code_point(char)}")

    def space(self) -> Token:
        run = _SPACE_RUN.match(self.source, self.pos)
        end = run.end() if run else self.pos + 1
        # The last space belongs to a right delimiter that trims, ` -}}`.
        if self.source.startswith("-" + self.right, end) and end - self.pos > 1:
            end -= 1
        self.pos = end
        return self.emit(Kind.SPACE)

    def literal(self, pattern: re.Pattern[str], kind: Kind, unterminated: str) -> Token:
        found = pattern.match(self.source, self.pos)
        if not found:
            return self.error(unterminated)
        self.pos = found.end()
        return self.emit(kind)

    def end_of_word(self, at: int) -> int:
        source = self.source
        found = _ASCII_WORD.match(source, at)
        at = found.end() if found else at
        while at < len(source) and is_word_char(source[at]):
            at += 1
        return at

    def at_terminator(self) -> bool:
        """Whether a name may end here."""
        char = self.source[self.pos : self.pos + 1]
        return not char or char in SPACES or char in ".,|:)(" or self.source.startswith(self.right, self.pos)

    def word(self) -> Token:
        self.pos = self.end_of_word(self.pos)
        if not self.at_terminator():
            return self.error(f"bad character {code_point(self.source[self.pos])}")
        word = self.source[self.start : self.pos]
        if word in ("true", "false"):
            return self.emit(Kind.BOOL)
        if word in self.functions_named:
            return self.emit(Kind.IDENTIFIER)
        return self.emit(KEYWORDS.get(word, Kind.IDENTIFIER))

    def name(self, kind: Kind, alone: Kind) -> Token:
        """A field or a variable; `.` and `$` may stand alone."""
        self.pos += 1
        if self.at_terminator():
            return self.emit(alone)
        self.pos = self.end_of_word(self.pos)
        if not self.at_terminator():
            return self.error(f"bad character {code_point(self.source[self.pos])}")
        return self.emit(kind)

    def number(self) -> Token:
        if not self.scan_number():
            return self.error(f"bad number syntax: {quote(self.source[self.start : self.pos])}")
        if self.source[self.pos : self.pos + 1] not in ("+", "-"):
            return self.emit(Kind.NUMBER)
        if not self.scan_number() or self.source[self.pos - 1] != "i":
            return self.error(f"bad number syntax: {quote(self.source[self.start : self.pos])}")
        return self.emit(Kind.COMPLEX)

    def scan_number(self) -> bool:
        """Go past one number; False if a letter or digit follows that cannot belong to it."""
        found = _NUMBER.match(self.source, self.pos)
        self.pos = found.end() if found else self.pos
        following = self.source[self.pos : self.pos + 1]
        if following and is_word_char(following):
            self.pos += 1
            return False
        return True
