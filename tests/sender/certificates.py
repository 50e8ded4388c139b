"""Certificates of authorities that nobody knows, made for a test, as PEM files."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from msgspec import Struct

from streamhooks.handlers.handler import Tls


class Certificate(Struct, frozen=True):
    """Paths of a certificate, with its chain, and of its key."""

    cert: str
    key: str

    def serving(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context

    def shown(self, ca_file: str) -> Tls:
        """A route that shows it to endpoints of that authority."""
        return Tls(ca_file=ca_file, cert_file=self.cert, key_file=self.key)


class Authority:
    """An authority with a folder for what it issues."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._ca = trustme.CA(organization_name=name)
        self._issued = 0
        self.ca_file = str(folder / f"{name}.pem")
        self._ca.cert_pem.write_to_path(self.ca_file)

    @property
    def ours(self) -> Tls:
        """A route that trusts it."""
        return Tls(ca_file=self.ca_file)

    def issue(self, *names: str, start: timedelta = timedelta(days=-2), days: int = 4) -> Certificate:
        """For host names and addresses, valid from `start` after now for so many days."""
        begins = datetime.now(UTC) + start
        leaf = self._ca.issue_cert(*names, not_before=begins, not_after=begins + timedelta(days=days))
        self._issued += 1
        files = Certificate(*(str(self._folder / f"{self._name}-{self._issued}.{ending}") for ending in ("pem", "key")))
        renewed(files, leaf)
        return files

    def renew(self, files: Certificate, *names: str) -> None:
        """A new certificate and key in place of the old ones, each file swapped as a whole."""
        renewed(files, self._ca.issue_cert(*names))

    def itself(self) -> Certificate:
        """Its own certificate, which it signed itself."""
        key = str(self._folder / f"{self._name}.key")
        self._ca.private_key_pem.write_to_path(key)
        return Certificate(self.ca_file, key)


def renewed(files: Certificate, leaf: trustme.LeafCert) -> None:
    swap(files.key, leaf.private_key_pem.bytes())
    swap(files.cert, b"".join(blob.bytes() for blob in leaf.cert_chain_pems))


def swap(path: str, content: bytes) -> None:
    new = Path(f"{path}.new")
    new.write_bytes(content)
    new.replace(path)
