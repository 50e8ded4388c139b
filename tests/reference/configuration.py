"""docs/reference/configuration.md: every setting, and every key of a handler, from the structs that read them.

Name, type and default are the struct's, what a value may be is said by the rule that checks it, and what it means by
the text below the member. A test tries each default that is shown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import fields

from streamhooks.handlers.definition import OwnDefinition
from streamhooks.reload import AT_START
from streamhooks.secret import Secret
from streamhooks.settings import Defaults, Settings
from streamhooks.settings.duration import spelled
from streamhooks.settings.environment import PREFIX
from streamhooks.settings.reading import Rule, rules_of
from streamhooks.settings.rules import CIDR, HOST, LISTEN, PROXY, RATE, REDIS_URL, STREAM_KEY, STREAM_START, Leaf, Many
from tests.reference.described import members

HEAD = f"""# Configuration

One or more files, or a folder of them, in YAML, JSON or TOML by their ending: `--config`, which may be given again,
else `./streamhooks.yaml`, else `/etc/streamhooks/`. Lists of several files are joined; a value that stands in two of
them is a fault, and so is a key that is not known. `streamhooks check` names every fault with file, key and what it
must be, and `streamhooks init` writes a commented file to begin with.

A setting can be said by the environment, too, which wins: `{PREFIX}REDIS__URL` is `redis.url`. Handlers stand in
files.

- A **duration** is `10s`, `1m30s`, `24h`, `30d`, `250ms`, or a number of seconds.
- A **secret** may be a reference instead of the text itself: `env://NAME`, or `file:///run/secrets/x`, whose last line
  break is removed. A file is read again when it changes. No secret is ever shown.
- A **path** is relative to the file that says it.

Handlers, `defaults`, templates and Tyk's files are read again as they change, while `reload` is true, or upon SIGHUP.
What {" and ".join((", ".join(f"`{name}`" for name in AT_START[:-1]), f"`{AT_START[-1]}`"))}
say is in force after a restart. A configuration with a fault is told of and changes nothing.

This page is made from the code by `scripts/reference`.
"""
HANDLERS = """
## Handlers

`handlers` is a list. Each member has these keys, and every key of `defaults`, which it may say otherwise for itself:
`timeout`, `concurrency`, `rate_limit`, `retry`, `breaker`, `allow_cidrs`, `proxy` and `tls`. `on` and `target_path`
must be said. A worked example of each is in [Delivery](../delivery.md).

"""
SEED = """
## Event handlers in Tyk's form

`event_handlers` takes Tyk's own object, so that a definition that you have can be pasted in. `handler_meta` has the
keys of a handler but `on`; references are not followed in it. Other handlers of Tyk's (`eh_log_handler` and the like)
are left to the gateway, with a warning.

```yaml
event_handlers:
  events:
    AuthFailure:
      - handler_name: eh_web_hook_handler
        handler_meta: {method: POST, target_path: "https://hooks.example.com/a", event_timeout: 10}
```

Tyk's files can also be read where they lie, by `tyk`: see [Coming from Tyk](../coming-from-tyk.md).
"""
_NAMED = {
    id(REDIS_URL): "URL of Redis, secret",
    id(STREAM_KEY): "name of a stream",
    id(STREAM_START): "`0`, `$` or an id",
    id(LISTEN): "host:port, or empty",
    id(HOST): "host",
    id(CIDR): "network",
    id(RATE): "rate, such as `10/s`",
    id(PROXY): "URL of a proxy, secret",
}
_KINDS = {
    "secret": "secret",
    "pem": "path of a PEM file, or `env://NAME`",
    "path": "path",
    "header": "text, or a secret",
}


class Key(Struct, frozen=True):
    """One key that may be said."""

    path: str
    type: str
    default: str
    """As it would be written; empty: there is none that could be."""
    means: str


def settings() -> dict[str, list[Key]]:
    """The keys of each section of the configuration, by its name."""
    found: dict[str, list[Key]] = {}
    for field in fields(Settings):
        rule = rules_of(Settings)[field.name]
        inner = list(_keys(rule, field.default, field.name)) if isinstance(rule, type) else []
        found[field.name] = inner or [_key(rule, field.default, field.name, members(Settings)[field.name])]
    return found


def handler_keys() -> list[Key]:
    """The keys of a handler that `defaults` has not."""
    shared = {field.name for field in fields(Defaults)}
    found = {key.path: key for key in _keys(OwnDefinition, OwnDefinition(), "")}
    first = ("id", "on")
    rest = [path for path in found if path not in first and path.partition(".")[0] not in shared]
    return [found[path] for path in (*first, *rest)]


def _keys(kind: type[Struct], default: Any, above: str) -> Iterator[Key]:
    for name, rule in rules_of(kind).items():
        path = f"{above}.{name}" if above else name
        value = getattr(default, name)
        if isinstance(rule, type):
            yield from _keys(rule, value, path)
        else:
            yield _key(rule, value, path, members(kind)[name])


def _key(rule: Rule, default: object, path: str, means: str) -> Key:
    assert not isinstance(rule, type)
    if isinstance(rule, Leaf):
        return Key(path, _type(rule), _written(rule, default), means)
    listed = isinstance(rule, Many)
    kind = f"list; each: {_type(rule.item)}" if listed else f"names; each with: {_type(rule.item)}"
    if isinstance(default, Mapping) or not default:
        return Key(path, kind, "`[]`" if listed else "`{}`", means)
    assert isinstance(default, tuple)
    items = ", ".join(_written(rule.item, item).strip("`") for item in default)
    return Key(path, kind, f"`[{items}]`", means)


def _type(leaf: Leaf) -> str:
    if id(leaf) in _NAMED:
        return _NAMED[id(leaf)]
    if leaf.kind != "plain":
        return _KINDS[leaf.kind]
    schema = leaf.schema
    if "enum" in schema:
        return ", ".join(f"`{word}`" if word else "empty" for word in schema["enum"])
    if "anyOf" in schema:
        least, most = schema["anyOf"][0]["minimum"], schema["anyOf"][0]["maximum"]
        return f"duration, `{spelled(least)}` to `{spelled(most)}`"
    match schema["type"]:
        case "integer":
            return f"whole number, {schema['minimum']} to {schema['maximum']}"
        case "number":
            return f"number, {schema['minimum']:g} to {schema['maximum']:g}"
        case "boolean":
            return "true or false"
        case _:
            return "text"


def _written(leaf: Leaf, value: object) -> str:
    if isinstance(value, Secret):
        value = value.reveal()
    if leaf is RATE:
        value = value or ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float) and "anyOf" in leaf.schema:
        return f"`{spelled(value)}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`" if value != "" else '`""`'


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, keys in settings().items():
        parts.append(f"\n## {name}\n\n{members(Settings)[name]}\n\n{_table(keys)}")
        parts.append(f"\n{_NOTES[name]}\n" if name in _NOTES else "")
    parts += [HANDLERS, _table(handler_keys()), SEED]
    return "".join(parts)


_NOTES = {
    "redis": "The forms of a URL, TLS, Sentinel and Cluster: [Redis](../redis.md#connections).",
    "stream": "What partitions are for, and how their number is changed: [Redis](../redis.md#partitions).",
    "worker": "What `lease` and `max_deliveries` are for: [Reliability](../reliability.md).",
    "defaults": "Every key of it can stand at a handler, for that one alone. A retry schedule is either `delays` or a "
    "series\n(`first`, `factor`, `cap`, `attempts`). [Delivery](../delivery.md) explains all of them.",
    "tyk": "See [Coming from Tyk](../coming-from-tyk.md).",
    "templates": "See [Templates](../templates.md).",
    "admin": "See [The console](../console.md#reaching-it).",
    "ingest": "See [The HTTP door](../ingest.md).",
    "log": "See [Logs](../logs.md).",
}
"""Where a section is explained."""


def _table(keys: list[Key]) -> str:
    rows = [f"| `{key.path}` | {key.type} | {key.default} | {key.means} |" for key in keys]
    return "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows, ""])
