"""What a URL of Redis says: which servers, as whom, which database, and whether TLS is spoken.

    redis://[user[:password]@]host[:6379][/db]            one server; rediss:// speaks TLS
    unix://[user[:password]@]/path[?db=0]                 one server on this machine
    redis+sentinel://[user[:password]@]h1[:26379],h2/service[/db]
    redis+cluster://[user[:password]@]h1[:6379],h2        rediss+sentinel:// and rediss+cluster:// speak TLS

User and password are percent-encoded. Options follow a `?`: `db`, `username`, `password`, `client_name`, and with
sentinels `sentinel_username`, `sentinel_password`, which are what the sentinels themselves want; by default they are
asked as nobody, and as the user of the servers where they refuse that.
"""

import re
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, unquote

from msgspec import Struct
from msgspec.structs import replace

from streamhooks.secret import Secret, shown_url

Form: TypeAlias = Literal["server", "unix", "sentinel", "cluster"]
NOBODY: Final = Secret("")
_FORM_OF: Final[dict[str, Form]] = {
    "redis": "server", "rediss": "server", "unix": "unix", "redis+sentinel": "sentinel", "rediss+sentinel": "sentinel",
    "redis+cluster": "cluster", "rediss+cluster": "cluster",
}  # fmt: skip
_PORTS: Final[dict[Form, int]] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_NODE = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:,/\[\]@]+))(?::(?P<port>[0-9]{1,5}))?")
_OPTIONS: Final = frozenset({"db", "username", "password", "client_name"})
_OF_SENTINELS: Final = frozenset({"sentinel_username", "sentinel_password"})
_IGNORED: Final = frozenset(
    {"protocol", "decode_responses", "socket_timeout", "socket_connect_timeout", "socket_keepalive", "encoding",
     "encoding_errors", "health_check_interval", "max_connections", "retry_on_timeout", "timeout", "socket_read_size"}
)  # fmt: skip
"""Of redis-py's own URLs: what they would change here, our answers depend on."""


FORMS: Final = (
    "write redis://HOST:PORT/DB, rediss://HOST:PORT/DB, unix:///PATH, redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB "
    "or redis+cluster://HOST:PORT,HOST:PORT"
)


class AddressError(ValueError):
    """No address; the text says what is, and repeats nothing of the URL, which may be a password."""


class Node(NamedTuple):
    """One server's or sentinel's place."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Address(Struct, frozen=True):
    """One Redis, whatever stands behind it."""

    form: Form
    nodes: tuple[Node, ...] = ()
    """The server; the sentinels; some nodes of the cluster."""
    path: str = ""
    """Of the socket, with the form unix."""
    tls: bool = False
    """Whether the URL asks for it; with sentinels and clusters TLS files turn it on, too."""
    service: str = ""
    """By which name the sentinels know the primary."""
    db: int = 0
    username: Secret = NOBODY
    password: Secret = NOBODY
    sentinel_username: Secret = NOBODY
    sentinel_password: Secret = NOBODY
    client_name: str = ""

    def at(self, node: Node) -> "Address":
        """One server of several, as the same user."""
        return replace(self, form="server", nodes=(node,))


def read(url: Secret) -> Address:
    """Raises AddressError."""
    scheme, _, rest = url.reveal().partition("://")
    form = _FORM_OF.get(scheme)
    if form is None:
        raise AddressError(FORMS)
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    user, _, place = authority.rpartition("@")
    username, _, password = user.partition(":")
    options = _options(query, form)
    words = [unquote(word) for word in path.split("/") if word]
    service = _service(words) if form == "sentinel" else ""
    return Address(
        form=form,
        nodes=() if form == "unix" else _nodes(place, form),
        path=_socket(place, slash + path) if form == "unix" else "",
        tls=scheme.startswith("rediss"),
        service=service,
        db=_db(form, words, options.get("db", "")),
        username=Secret(options.get("username") or unquote(username)),
        password=Secret(options.get("password") or unquote(password)),
        sentinel_username=Secret(options.get("sentinel_username", "")),
        sentinel_password=Secret(options.get("sentinel_password", "")),
        client_name=options.get("client_name", ""),
    )


def fault_of(url: Secret) -> str:
    """What keeps a URL from being an address, as a sentence that may be shown; empty: nothing does."""
    try:
        read(url)
    except AddressError as error:
        return f"{shown_url(url)} is no address that can be connected to: {error}"
    return ""


def _nodes(place: str, form: Form) -> tuple[Node, ...]:
    texts = place.split(",") if form != "server" else [place]
    return tuple(_node(text or "localhost", form) for text in texts)


def _node(text: str, form: Form) -> Node:
    found = _NODE.fullmatch(text)
    if found is None or int(found["port"] or 1) not in range(1, 65536):
        raise AddressError(FORMS)
    return Node(unquote(found["six"] or found["host"]), int(found["port"] or _PORTS[form]))


def _socket(place: str, path: str) -> str:
    if place or not path.strip("/"):
        raise AddressError(FORMS)
    return unquote(path)


def _service(words: list[str]) -> str:
    """Taken off the words of the path."""
    if not words:
        said = "write the service, by which the sentinels know the primary: redis+sentinel://HOST,HOST/SERVICE/DB"
        raise AddressError(said)
    return words.pop(0)


def _db(form: Form, words: list[str], option: str) -> int:
    text = option or ("" if form == "unix" else "/".join(words))
    if not re.fullmatch(r"[0-9]{0,6}", text):
        raise AddressError("write the database as a number, such as /0")
    if form == "cluster" and int(text or 0):
        raise AddressError("a cluster has no databases: leave the number out")
    return int(text or 0)


def _options(query: str, form: Form) -> dict[str, str]:
    allowed = _OPTIONS | (_OF_SENTINELS if form == "sentinel" else frozenset())
    given = dict(parse_qsl(query, keep_blank_values=True))
    for name in given:
        if name.startswith("ssl_"):
            raise AddressError("ssl_... are no options of it: the files of TLS are ca_file, cert_file and key_file")
        if name not in allowed and name not in _IGNORED:
            raise AddressError(f"its options are {', '.join(sorted(allowed))}")
    return given
