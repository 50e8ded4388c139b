"""A cluster by TLS, whose nodes announce host names: each is reached by the name that its certificate has."""

from pathlib import Path

from streamhooks import Publisher
from streamhooks.connecting.slots import SLOTS
from streamhooks.secret import Secret
from streamhooks.settings import Redis as RedisSettings
from streamhooks.settings.model import Tls
from streamhooks.store.cluster import Cluster
from streamhooks.store.connection import ask, connect
from tests.connecting.secured import secured
from tests.ports import free_port
from tests.sender.certificates import Authority
from tests.waiting import eventually


async def test_nodes_are_reached_by_the_names_that_they_announce_and_by_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    options = {
        "cluster_enabled": "yes", "cluster_port": str(free_port()), "cluster_announce_hostname": "localhost",
        "cluster_preferred_endpoint_type": "hostname", "tls_cluster": "yes",
    }  # fmt: skip
    async with secured(tmp_path, authority, "localhost", "127.0.0.1", **options) as (node, port):
        await node.ask("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
        own = authority.issue("client.example")
        url = f"redis+cluster://127.0.0.1:{port}"
        client = connect(RedisSettings(url=Secret(url), tls=Tls(authority.ca_file, own.cert, own.key)))
        try:

            async def serves() -> bool:
                return "cluster_state:ok" in str(await node.ask("CLUSTER", "INFO"))

            await eventually(serves)
            id = (await ask(client, "XADD", "gateway:events", "*", "type", "X")).decode()
            async with Publisher(url, ca_file=authority.ca_file, cert_file=own.cert, key_file=own.key) as publisher:
                assert await publisher.publish("Y") > id
            assert isinstance(client, Cluster)
            assert [str(known) for known in client.topology.nodes] == [f"localhost:{port}"]
        finally:
            await client.aclose()
