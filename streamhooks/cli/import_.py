"""`import tyk`: Tyk's definitions in our own form, each with a comment that says where it stood and what changes.

The output is YAML that a person goes on with, so it is written line by line and not dumped. What would mean something
else in our form than in Tyk's (a value that looks like a reference, or like a template action) is turned or left out.
"""

import json
import os
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from streamhooks.cli.check_tyk import notes_of
from streamhooks.cli.opening import wrong
from streamhooks.cli.output import complain, printable, say
from streamhooks.delivery.targets import check_target
from streamhooks.files import SHIPPED, TykFiles, load_tyk
from streamhooks.handlers.actions import OPEN
from streamhooks.handlers.tyk import TykHandler
from streamhooks.handlers.tyk_hooks import OF_TYK
from streamhooks.secret import Secret, revealed
from streamhooks.settings.duration import spelled
from streamhooks.settings.references import is_reference
from streamhooks.template import Template

LOOPBACK = frozenset({"127.0.0.0/8", "::1/128"})
EXAMPLE = "streamhooks import tyk tyk.conf apps/ --output streamhooks.yaml"

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("source", choices=["tyk"], help="whose definitions they are")
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="API definitions, a tyk.conf, or folders of them"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="where to (default: print it)")
    parser.add_argument("--compat", choices=["tyk"], default="", help="let every handler send just what Tyk sends")


def run(args: Namespace) -> int:
    if args.output and args.output.exists():
        raise wrong("--output", f"{args.output} is there already: move it away, or name another file")
    for path in args.paths:
        if not path.exists():
            raise wrong("PATH", f"{path} is not there")
    found = load_tyk(args.paths, args.compat)
    folder = (args.output.parent if args.output else Path()).absolute()
    text = "\n".join(page(found, folder)) + "\n"
    for warning in found.warnings:
        complain(printable(f"warning: {warning}"))
    if not args.output:
        say(text.rstrip("\n"))
    else:
        try:
            args.output.write_text(text, "utf-8")
        except OSError as error:
            raise wrong("--output", f"{args.output} cannot be written: {error.strerror}") from None
        say(str(args.output))
    count = len(found.handlers)
    them = "1 handler; look it through" if count == 1 else f"{count} handlers; look them through"
    complain(f"{them}, then: streamhooks check")
    return 0


def page(found: TykFiles, folder: Path) -> Iterator[str]:
    """The configuration, line by line; paths in it are relative to `folder`."""
    yield "# Tyk's webhooks in the form of streamhooks. A request that equals another inside event_timeout goes once;"
    yield "# a failed one is retried. A header's secret may stand elsewhere: write env://NAME or file:///path."
    closed = _closed(found)
    if closed:
        yield "#"
        yield "# These targets are private and stay closed until somebody opens them:"
        yield f"# defaults: {{allow_cidrs: [{', '.join(_quoted(cidr) for cidr in closed)}]}}"
    yield ""
    yield "handlers:" if found.handlers else "handlers: []"
    for index, one in enumerate(found.handlers):
        if index:
            yield ""
        yield from _entry(one, found, folder)


def _closed(found: TykFiles) -> list[str]:
    """The networks that would open them: all of loopback for a name of it, else the very address."""
    cidrs: set[str] = set()
    for host in {urlsplit(one.handler.origin).hostname or "" for one in found.handlers}:
        if check_target(host, ()):
            cidrs |= LOOPBACK if host == "localhost" else {f"{host}/{128 if ':' in host else 32}"}
    return sorted(cidrs)


def _entry(one: TykHandler, found: TykFiles, folder: Path) -> Iterator[str]:
    hook, handler = one.hook, one.handler
    meta = hook.meta
    yield f"  # {_comment(hook.place)}"
    for note in notes_of(one):
        key = note.path.removeprefix(hook.place.path).lstrip(".")
        yield f"  # {_comment(f'{key}: {note.message}' if key else note.message)}"
    yield f"  - id: {_scalar(handler.id)}"
    yield f"    on: [{_scalar(hook.event)}]"
    if hook.api_id:
        yield f"    apis: [{_scalar(hook.api_id)}]"
    else:
        yield '    apis: [""]  # events that belong to no API'
    yield f"    method: {handler.method}"
    yield f"    target_path: {_quoted(handler.target)}"
    if meta.template_path:
        yield f"    template_path: {_quoted(_template(found.templates[meta.template_path, hook.base], folder))}"
    yield from _headers(one)
    if handler.event_timeout:
        yield f"    event_timeout: {spelled(handler.event_timeout)}"
    if handler.compat:
        yield f"    compat: {handler.compat}"
    said = {path[0]: f"  # {_comment(given.place)}" for path, given in one.way.items()}
    for name, value in _ours(one).items():
        yield f"    {name}: {json.dumps(value, ensure_ascii=True)}{said.get(name, '')}"


def _headers(one: TykHandler) -> Iterator[str]:
    lines = []
    for name, text in one.handler.headers:
        value = text.source if isinstance(text, Template) else revealed(text)
        if is_reference(value):
            lines.append(f"      # {name}: {_comment(value)} would be followed here; Tyk sends it as it stands")
            continue
        if OPEN in value and not one.handler.compat:
            value = value.replace(OPEN, '{{"{{"}}')
        lines.append(f"      {_quoted(name)}: {_quoted(value)}")
    if any(not line.lstrip().startswith("#") for line in lines):
        yield "    header_map:"
    yield from lines


def _ours(one: TykHandler) -> dict[str, Any]:
    """The keys of ours that the definition had, and what tyk.conf says of the way out."""
    ours: dict[str, Any] = {}
    for path, given in one.hook.known.items():
        if path[0] in OF_TYK or path[0] == "compat":
            continue
        inner = ours
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = f"{given.value:g}/s" if path == ("rate_limit",) and given.value else _plain(given.value)
    route = one.handler.route
    if route.proxy:
        ours["proxy"] = route.proxy.reveal()
    tls = {name: _plain(value) for name in ("ca_file", "cert_file", "key_file") if (value := getattr(route.tls, name))}
    if route.tls.insecure_skip_verify:
        tls["insecure_skip_verify"] = True
    if tls:
        ours["tls"] = tls
    return ours


def _plain(value: Any) -> Any:
    """As a file has it: what is written here is a configuration, which must hold what it is to send."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.reveal() if isinstance(value, Secret) else value


def _template(path: str, folder: Path) -> str:
    """As it is found from the new file's folder; one that comes with streamhooks is found by its name."""
    return Path(path).name if Path(path).parent == SHIPPED else os.path.relpath(path, folder)


def _comment(text: object) -> str:
    return printable(str(text).partition("\n")[0])


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    """In YAML's double quotes, whose escapes are JSON's but for characters beyond U+FFFF."""
    return "".join(char if char.isprintable() else _escaped(char) for char in json.dumps(text, ensure_ascii=False))


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"
