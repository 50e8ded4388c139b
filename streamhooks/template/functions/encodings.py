"""JSON, XML, base64, digests, and the parts of URLs and paths."""

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

from streamhooks.template.functions.calling import FunctionError
from streamhooks.template.jsontext import NotJsonError, json_pretty, json_text
from streamhooks.template.literals import from_bytes, to_bytes
from streamhooks.template.literals import quote as go_quote
from streamhooks.template.values import Markup, Raw, plain, type_name

_URL = re.compile(
    r"(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?://([^/?#\x00-\x1f\x7f]*))?"
    r"([^?#\x00-\x1f\x7f]*)(?:\?([^#\x00-\x1f\x7f]*))?(?:#([^\x00-\x1f\x7f]*))?"
)
"""RFC 3986, appendix B, in linear time. Python's urlsplit normalizes hosts, which takes the square of their length."""
_HOST = re.compile(r"(?:\[[^\] ]*\]|[^\[\]: ]*)(?::[0-9]*)?")
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2}).{0,2}", re.DOTALL)
_NO_BASE64 = re.compile("[^A-Za-z0-9+/]")


def json_marshal(value: object) -> Raw:
    """The value as JSON, with < > & escaped too."""
    try:
        return Raw(json_text(value, escape_html=True))
    except NotJsonError as error:
        raise FunctionError(str(error)) from None


def to_json(value: object) -> Raw:
    """As jsonMarshal, and nothing where that fails."""
    try:
        return Raw(json_text(value, escape_html=True))
    except NotJsonError:
        return Raw("")


def to_raw_json(value: object) -> Raw:
    """The value as JSON; < > & stay as they are."""
    try:
        return Raw(json_text(value))
    except NotJsonError:
        return Raw("")


def to_pretty_json(value: object) -> Raw:
    """The value as JSON over several lines."""
    try:
        return Raw(json_pretty(value, escape_html=True))
    except NotJsonError:
        return Raw("")


def from_json(text: str) -> object:
    """What a JSON text says; all numbers are floats, as in Go. Nothing if it is no JSON."""
    try:
        return json.loads(text, parse_int=float, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None


def _refused(name: str) -> object:
    raise ValueError(name)


def xml_marshal(value: object) -> Markup:
    """A map as XML: keys are elements, `-x` attributes, `#text` text; the root is its only key, else `doc`."""
    if not isinstance(value, dict):
        return Markup(_element(type_name(value).partition(" ")[0].strip("[]") or "doc", value))
    if len(value) == 1:
        ((key, inner),) = value.items()
        if not isinstance(inner, list) and not key.startswith(("-", "#")):
            return Markup(_element(key, inner))
    return Markup(_element("doc", value))


def _element(name: str, value: object) -> str:
    if isinstance(value, list):
        return "".join([_element(name, item) for item in value])
    if not isinstance(value, dict):
        text = "" if value is None else _xml(plain(value))
        return f"<{name}>{text}</{name}>" if text else f"<{name}/>"
    attributes = "".join([f' {key[1:]}="{_xml(plain(value[key]))}"' for key in sorted(value) if key.startswith("-")])
    inner = _xml(plain(value["#text"])) if "#text" in value else ""
    inner += "".join([_element(key, value[key]) for key in sorted(value) if not key.startswith(("-", "#"))])
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"


def _xml(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&apos;")


def b64enc(text: str) -> str:
    """The text in base64."""
    return base64.b64encode(to_bytes(text)).decode()


def b64dec(text: str) -> str:
    """The text that base64 holds; for what is no base64, Go's complaint as text."""
    clean = text.replace("\n", "").replace("\r", "")
    try:
        return from_bytes(base64.b64decode(clean, validate=True))
    except ValueError:
        found = _NO_BASE64.search(clean)
        return f"illegal base64 data at input byte {found.start() if found else len(clean) // 4 * 4}"


def sha256sum(text: str) -> str:
    """SHA-256 of the text, in hexadecimal digits."""
    return hashlib.sha256(to_bytes(text)).hexdigest()


def sha1sum(text: str) -> str:
    """For what needs it by its format; it protects nothing."""
    return hashlib.sha1(to_bytes(text), usedforsecurity=False).hexdigest()


def url_parse(text: str) -> dict[str, object]:
    """scheme, host, hostname, path, query, fragment, userinfo, opaque; path and fragment are decoded."""
    found = _URL.fullmatch(text)
    if not found:
        raise FunctionError("unable to parse url: invalid control character in URL")
    scheme, authority, path, query, fragment = [part or "" for part in found.groups()]
    user, _, host = authority.rpartition("@")
    if not _HOST.fullmatch(host):
        raise FunctionError(f"unable to parse url: invalid host or port {go_quote(host)}")
    if not scheme and not authority and ":" in path.partition("/")[0]:
        raise FunctionError("unable to parse url: first path segment in URL cannot contain colon")
    for part in (path, fragment):
        if bad := _BAD_ESCAPE.search(part):
            raise FunctionError(f"unable to parse url: invalid URL escape {go_quote(bad.group())}")
    is_opaque = bool(scheme) and not authority and not path.startswith("/")
    return {
        "scheme": scheme.lower(),
        "host": host,
        "hostname": host[1 : host.find("]")] if host.startswith("[") else host.partition(":")[0],
        "path": "" if is_opaque else from_bytes(unquote_to_bytes(to_bytes(path))),
        "query": query,
        "fragment": from_bytes(unquote_to_bytes(to_bytes(fragment))),
        "userinfo": user,
        "opaque": path if is_opaque else "",
    }


def url_join(parts: dict[str, object]) -> str:
    """The URL of a map as urlParse makes it."""
    names = ("scheme", "host", "path", "query", "fragment", "userinfo", "opaque")
    part = {name: plain(parts[name]) if parts.get(name) else "" for name in names}
    path = part["opaque"] or quote_from_bytes(to_bytes(part["path"]), safe="$&+,/:;=@")
    if part["host"] or part["userinfo"]:
        user = part["userinfo"] + "@" if part["userinfo"] else ""
        path = f"//{user}{part['host']}{'' if path[:1] in ('', '/') else '/'}{path}"
    return (
        (part["scheme"] + ":" if part["scheme"] else "")
        + path
        + ("?" + part["query"] if part["query"] else "")
        + ("#" + quote_from_bytes(to_bytes(part["fragment"]), safe="$&+,/:;=?@!()*") if part["fragment"] else "")
    )


def path_base(path: str) -> str:
    """The last part of a path."""
    if not path:
        return "."
    return posixpath.basename(path.rstrip("/")) or "/"


def path_dir(path: str) -> str:
    """All but the last part of a path."""
    return path_clean(path[: path.rfind("/") + 1])


def path_ext(path: str) -> str:
    """The ending of a file's name, with its dot."""
    name = path[path.rfind("/") + 1 :]
    return name[name.rfind(".") :] if "." in name else ""


def path_clean(path: str) -> str:
    """The shortest path that means the same."""
    cleaned = posixpath.normpath(path) if path else "."
    return "/" + cleaned.lstrip("/") if cleaned.startswith("//") else cleaned


ENCODINGS: dict[str, Callable[..., Any]] = {
    "b64dec": b64dec,
    "b64enc": b64enc,
    "base": path_base,
    "clean": path_clean,
    "dir": path_dir,
    "ext": path_ext,
    "fromJson": from_json,
    "jsonMarshal": json_marshal,
    "mustToJson": json_marshal,
    "sha1sum": sha1sum,
    "sha256sum": sha256sum,
    "toJson": to_json,
    "toPrettyJson": to_pretty_json,
    "toRawJson": to_raw_json,
    "urlJoin": url_join,
    "urlParse": url_parse,
    "xmlMarshal": xml_marshal,
}
