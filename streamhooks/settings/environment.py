"""Single settings from environment variables: STREAMHOOKS_REDIS__URL is redis.url.

Two underscores go one level down. A variable without them is a setting of the top level or none of our business:
Kubernetes puts STREAMHOOKS_SERVICE_HOST and its like into every pod beside a Service of that name, and secrets that
are referred to (env://STREAMHOOKS_ADMIN_TOKEN) may be called anything.
"""

from collections.abc import Mapping

from streamhooks.settings.documents import value as yaml_value
from streamhooks.settings.model import Settings
from streamhooks.settings.reading import Known, Place, Reader, Rule, rules_of, unknown
from streamhooks.settings.rules import Leaf

PREFIX = "STREAMHOOKS_"
LISTS = ("handlers", "event_handlers")


def overrides(environ: Mapping[str, str], reader: Reader) -> Known:
    """What the environment says; its faults go to the reader."""
    known: Known = {}
    for name in sorted(environ):
        if name.startswith(PREFIX):
            path = tuple(name.removeprefix(PREFIX).lower().split("__"))
            _override(path, environ[name], Place("environment", name), reader, known)
    return known


def _override(path: tuple[str, ...], text: str, place: Place, reader: Reader, known: Known) -> None:
    top = rules_of(Settings)
    if path[0] in LISTS:
        reader.faults.append(place.fault(f"cannot be set by the environment; write {path[0]} in a file"))
        return
    if len(path) == 1 and path[0] not in top:
        return
    rule: Rule = Settings
    for depth, name in enumerate(path):
        inner = rules_of(rule) if isinstance(rule, type) else {}
        if name not in inner:
            names = [_spelled((*path[:depth], other)) for other in inner] or [_spelled(path[:depth])]
            reader.faults.append(place.fault(unknown(place.path, names).replace(" key", " setting")))
            return
        rule = inner[name]
    if isinstance(rule, type):
        example = _spelled((*path, next(iter(rules_of(rule)))))
        reader.faults.append(place.fault(f"is a section; set one of its settings, such as {example}"))
        return
    try:
        data = text if isinstance(rule, Leaf) and rule.text else yaml_value(text)
    except ValueError as error:
        reader.faults.append(place.fault(str(error)))
        return
    reader.value(rule, data, place, path, known)


def _spelled(path: tuple[str, ...]) -> str:
    return PREFIX + "__".join(path).upper()
