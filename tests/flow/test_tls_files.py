"""TLS files that cannot be used cost no event: it waits until they can, and the log says once what is wrong."""

from pathlib import Path

from tests.flow.rig import Rig
from tests.sender.certificates import Authority, swap
from tests.sender.hostile import answering, hostile
from tests.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


async def test_an_event_waits_for_a_broken_certificate_to_be_mended(rig: Rig, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    client = authority.issue("client.example")
    good = swapped(client.cert, b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    async with hostile(answering(OK), authority.issue("127.0.0.1").serving()) as server:
        tls = {"ca_file": authority.ca_file, "cert_file": client.cert, "key_file": client.key}
        target = f"https://127.0.0.1:{server.port}/in"
        async with rig.working(rig.handler(target_path=target, tls=tls, retry={"delays": []})):
            await rig.publish("k")
            await eventually(lambda: rig.records.of("tls_files_refused"))
            swap(client.cert, good)
            await rig.settled(delivered=1)
            assert len(server.requests) == 1
    (refused,) = rig.records.of("tls_files_refused")
    assert refused["level"] == "error"
    assert refused["files"] == [authority.ca_file, client.cert, client.key]
    assert refused["message"].startswith("the files of `tls` (ca_file, cert_file, key_file) cannot be used: ")
    assert [record["files"] for record in rig.records.of("tls_files_read")] == [refused["files"]]


def swapped(path: str, content: bytes) -> bytes:
    """Puts `content` in the place of what was there, and gives that."""
    before = Path(path).read_bytes()
    swap(path, content)
    return before
