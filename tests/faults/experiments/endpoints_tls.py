"""An https endpoint that cannot be trusted: nothing of an event is said to it, and all is delivered once it can be."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from streamhooks.store.connection import ask
from tests.faults.checker import KEYS, Verdict
from tests.faults.experiments import experiment
from tests.faults.hostile import PATH, HostileEndpoint
from tests.faults.lab import Lab
from tests.faults.stand import Stand, stand
from tests.waiting import eventually

EACH = 8
HANDSHAKE = 0x16
"""The first byte of a TLS record that holds a handshake (RFC 8446, section 5.1)."""
PLAIN = (b"HTTP/1.1", b"webhook-id", b"seq")
"""What would be read on the wire if a request went out in clear."""
REFUSED = b"tls: the certificate is not accepted"
WHY = {"self-signed": REFUSED, "expired": REFUSED, "wrong host": REFUSED, "silent": b"timeout: "}


class Wire:
    """Stands before the endpoint and keeps what the worker says, as it goes over the wire."""

    def __init__(self, port: int) -> None:
        self.leads_to = port
        """A port; 0: nobody answers."""
        self.heard: list[bytearray] = []

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        said = bytearray()
        self.heard.append(said)
        if not self.leads_to:
            said += await reader.read()
            return False
        answers, up = await asyncio.open_connection("127.0.0.1", self.leads_to)
        try:
            await asyncio.gather(self._pass_on(reader, up, said), self._pass_on(answers, writer, bytearray()))
        finally:
            up.transport.abort()
        return False

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, said: bytearray) -> None:
        while piece := await reader.read(65536):
            said += piece
            writer.write(piece)
        writer.transport.abort()


@experiment("TLS: self-signed, expired, another host's, and a handshake that hangs")
async def _untrusted(lab: Lab) -> Verdict:
    authority = trustme.CA()
    ca_file = lab.folder / "authority.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    contexts = {
        "self-signed": _signed_by_itself(lab.folder),
        "expired": _context(authority.issue_cert("127.0.0.1", not_after=yesterday)),
        "wrong host": _context(authority.issue_cert("other.example")),
        "good": _context(authority.issue_cert("127.0.0.1")),
    }
    at = await stand(lab, hang={"tls": {"ca_file": str(ca_file)}, "retry": {"delays": [0.3] * 60}})
    ports = {kind: (await lab.enter(HostileEndpoint(at.sink, {}, context))).port for kind, context in contexts.items()}
    wire = Wire(0)
    at.endpoint.greet = wire.greet
    at.configure("hang", target_path=f"https://127.0.0.1:{at.endpoint.port}{PATH}")
    worker = await at.worker()
    for number, (kind, why) in enumerate(WHY.items()):
        wire.leads_to = ports.get(kind, 0)
        await at.load.publish(range(number * EACH, (number + 1) * EACH), type_="Hang")
        await _all_stored_for(at, (number + 1) * EACH, why)
    _nothing_in_clear(wire)
    untrusted = len(wire.heard)
    assert not at.sink.arrivals, "an endpoint that cannot be trusted was told an event"
    wire.leads_to = ports["good"]
    await at.have_ended(len(WHY) * EACH)
    await at.stop(worker)
    return await at.verdict(notes=f"{untrusted} connections refused, 0 plain bytes")


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _signed_by_itself(folder: Path) -> ssl.SSLContext:
    alone, file = trustme.CA(), folder / "self-signed.pem"
    file.write_bytes(alone.private_key_pem.bytes() + alone.cert_pem.bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def _all_stored_for(at: Stand, count: int, why: bytes) -> None:
    """Waits until everything was stored for a retry for this reason, each in its time: meanwhile others are tried."""
    owners: set[bytes] = set()

    async def stored() -> bool:
        records: dict[bytes, bytes] = await ask(at.client, "HGETALL", KEYS.parked_data)
        owners.update(owner for owner, record in records.items() if why in record)
        return len(owners) == count

    await eventually(stored, 20, f"{count} events were stored, each because of {why.decode()}")


def _nothing_in_clear(wire: Wire) -> None:
    for said in wire.heard:
        assert not said or said[0] == HANDSHAKE, bytes(said[:100])
        assert not any(word in said for word in PLAIN), bytes(said[:100])
