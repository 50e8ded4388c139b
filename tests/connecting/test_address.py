"""What a URL of Redis says, and that a fault repeats nothing of it."""

import pytest

from streamhooks.connecting.address import FORMS, NOBODY, Address, AddressError, Node, read
from streamhooks.secret import Secret

HERE, THREE = (Node("127.0.0.1", 6379),), (Node("h1", 26379), Node("h2", 5000), Node("::1", 26379))
ADDRESSES = {
    "redis://127.0.0.1:6379/0": Address("server", HERE),
    "redis://127.0.0.1": Address("server", HERE),
    "redis:///3": Address("server", (Node("localhost", 6379),), db=3),
    "redis://user:p%40ss@127.0.0.1/2": Address("server", HERE, db=2, username=Secret("user"), password=Secret("p@ss")),
    "redis://user@127.0.0.1?db=2&password=a%2Fb": Address(
        "server", HERE, db=2, username=Secret("user"), password=Secret("a/b")
    ),
    "redis://a:b@c@127.0.0.1": Address("server", HERE, username=Secret("a"), password=Secret("b@c")),
    "rediss://[fd00::7]:6380/0": Address("server", (Node("fd00::7", 6380),), tls=True),
    "unix:///run/redis%20s.sock?db=1": Address("unix", path="/run/redis s.sock", db=1),
    "unix://u:p@/run/redis.sock": Address("unix", path="/run/redis.sock", username=Secret("u"), password=Secret("p")),
    "redis+sentinel://h1,h2:5000,[::1]/gateway/4": Address("sentinel", THREE, service="gateway", db=4),
    "rediss+sentinel://:p@h1/gateway": Address(
        "sentinel", THREE[:1], tls=True, service="gateway", password=Secret("p")
    ),
    "redis+sentinel://h1/gateway?sentinel_username=s&sentinel_password=q": Address(
        "sentinel", THREE[:1], service="gateway", sentinel_username=Secret("s"), sentinel_password=Secret("q")
    ),
    "redis+cluster://u@h1:7000,h2": Address("cluster", (Node("h1", 7000), Node("h2", 6379)), username=Secret("u")),
    "rediss+cluster://h1/0": Address("cluster", (Node("h1", 6379),), tls=True),
    "redis://127.0.0.1?client_name=gate&protocol=3": Address("server", HERE, client_name="gate"),
}


@pytest.mark.parametrize(("url", "address"), ADDRESSES.items(), ids=ADDRESSES)
def test_a_url_says_where_and_as_whom(url: str, address: Address) -> None:
    assert read(Secret(url)) == address


FAULTS = {
    "http://hunter2": FORMS,
    "hunter2": FORMS,
    "redis://user:hunter2/x": FORMS,
    "redis://h1:hunter2": FORMS,
    "redis://h1:70000": FORMS,
    "redis://h1,h2": FORMS,
    "unix://hunter2/run/redis.sock": FORMS,
    "unix://": FORMS,
    "redis+sentinel://hunter2:26379": (
        "write the service, by which the sentinels know the primary: redis+sentinel://HOST,HOST/SERVICE/DB"
    ),
    "redis://h1/hunter2": "write the database as a number, such as /0",
    "redis+sentinel://h1/hunter2/0/0": "write the database as a number, such as /0",
    "redis+cluster://h1/2": "a cluster has no databases: leave the number out",
    "redis://h1?hunter2=1": "its options are client_name, db, password, username",
    "redis+sentinel://h1/s?hunter2=1": (
        "its options are client_name, db, password, sentinel_password, sentinel_username, username"
    ),
    "rediss://h1?ssl_ca_certs=hunter2": (
        "ssl_... are no options of it: the files of TLS are ca_file, cert_file and key_file"
    ),
}


@pytest.mark.parametrize(("url", "said"), FAULTS.items(), ids=FAULTS)
def test_what_is_no_address_is_said_without_repeating_it(url: str, said: str) -> None:
    with pytest.raises(AddressError) as raised:
        read(Secret(url))
    assert str(raised.value) == said
    assert "hunter2" not in said


def test_nothing_of_an_address_prints_its_credentials() -> None:
    assert "hunter2" not in repr(read(Secret("redis+sentinel://u:hunter2@h1/s?sentinel_password=hunter2")))
    assert not NOBODY
