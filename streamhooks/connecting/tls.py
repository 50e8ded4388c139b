"""TLS towards Redis: a context of the files that were named, made anew when they change.

Laws: TLS 1.2 at least; certificate and host name are always checked. Files that were renewed are in force for every
connection made after; while new ones cannot be used (a certificate is there, its key not yet), what was in force stays
so, and a handshake that then fails says why.
"""

import ssl

from msgspec import Struct

from streamhooks.connecting.address import Address
from streamhooks.pem import is_text, on_disk, stamp
from streamhooks.secret import Secret, revealed

_HUNG_UP = ("Connection closed", "Error ")


class TlsError(ValueError):
    """Files that cannot be used; `name` is that of the first: `ca_file`, `cert_file` or `key_file`."""

    def __init__(self, name: str, said: str) -> None:
        super().__init__(said)
        self.name = name
        self.said = said


class TlsFiles(Struct, frozen=True):
    """Paths of PEM files, or PEM texts. Empty: the system's authorities, no certificate, the key in cert_file."""

    ca_file: str | Secret = ""
    cert_file: str | Secret = ""
    key_file: str | Secret = ""

    def __bool__(self) -> bool:
        return bool(self.ca_file or self.cert_file or self.key_file)


class Tls:
    """The context for the next connection. Raises TlsError when made, and never after.

    `prefix` stands before the files' names where they are told: `redis.tls.` in a configuration.
    """

    def __init__(self, files: TlsFiles, prefix: str = "") -> None:
        self._files = files
        self._prefix = prefix
        self._stamps = _stamps(files)
        self._context = _made(files)
        self._fault = ""
        """Why the files that are there now are not used."""

    def context(self) -> ssl.SSLContext:
        # Before reading, so that what changes meanwhile is seen the next time.
        stamps = _stamps(self._files)
        if stamps != self._stamps:
            self._stamps = stamps
            try:
                self._context, self._fault = _made(self._files), ""
            except TlsError as error:
                self._fault = f"; {self._prefix}{error.name} has changed and {error.said}"
        return self._context

    def said(self, error: BaseException | None) -> str:
        """What a handshake failed for, in words; `error` is what it raised. Nothing for what is not of TLS."""
        if not isinstance(error, ssl.SSLError) or isinstance(error, ssl.SSLEOFError):
            return ""
        if isinstance(error, ssl.SSLCertVerificationError):
            why = error.verify_message.rstrip(".")
            said = f"its certificate is refused: {why} ({self._prefix}ca_file names whom to trust)"
        elif "ALERT" in str(error):
            return self._refused(error.reason)
        else:
            said = f"TLS failed: {error.reason or error}"
        return said + self._fault

    def lost(self, error: Exception, *, answered: bool) -> str:
        """The same of a connection that redis-py says is lost. A server that hangs up before its first answer has, with
        TLS 1.3, refused our certificate, and the alert that says so may be lost.
        """
        said = self.said(error.__cause__) or self.said(error.__context__)
        if not said and not answered and str(error).startswith(_HUNG_UP):
            return self._refused("it hung up")
        return said

    def _refused(self, why: str) -> str:
        said = f"it refuses our certificate, or wants one ({why}): see {self._prefix}cert_file"
        return said + self._fault


def tls_of(address: Address, files: TlsFiles, prefix: str = "") -> Tls | None:
    """None: TLS is not spoken. With sentinels and clusters, whose URLs need not say it, the files turn it on.

    Raises TlsError for files that cannot be used, or that somebody believes to be used.
    """
    if address.tls or (files and address.form in ("sentinel", "cluster")):
        return Tls(files, prefix)
    if files:
        name = next(name for name in files.__struct_fields__ if getattr(files, name))
        raise TlsError(name, "is set, but the URL asks for no TLS: write rediss:// in it, or take the file out")
    return None


def _made(files: TlsFiles) -> ssl.SSLContext:
    ca, cert, key = (revealed(text) for text in (files.ca_file, files.cert_file, files.key_file))
    try:
        of_text = is_text(ca)
        context = ssl.create_default_context(cadata=ca) if of_text else ssl.create_default_context(cafile=ca or None)
    except (OSError, ValueError) as error:
        raise TlsError("ca_file", _said(error)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if key and not cert:
        raise TlsError("key_file", "needs cert_file, the certificate that the key belongs to")
    if cert:
        _show(context, cert, key)
    return context


def _show(context: ssl.SSLContext, cert: str, key: str) -> None:
    """Has it show a client certificate."""
    with on_disk(cert) as cert_path, on_disk(key) as key_path:
        try:
            # By itself first: what is wrong with the pair is then the key.
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cert_path)
        except (OSError, ValueError) as error:
            raise TlsError("cert_file", _said(error)) from None
        try:
            # An encrypted key asks at the terminal for its password unless one is given.
            context.load_cert_chain(cert_path, key_path or None, password="")  # nosec B106  # none
        except (OSError, ValueError) as error:
            raise TlsError("key_file" if key else "cert_file", _said(error)) from None


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        # What else OpenSSL says changes from release to release, and tells little.
        if error.reason == "KEY_VALUES_MISMATCH":
            return "is not the key of the certificate in cert_file"
        return "is no PEM that can be read, or a key with a password"
    return f"cannot be read: {(error.strerror if isinstance(error, OSError) else None) or type(error).__name__}"


def _stamps(files: TlsFiles) -> tuple[tuple[int, ...] | None, ...]:
    """What tells that a file has changed, its permissions too; a mounted volume swaps whole files."""
    named = map(revealed, (files.ca_file, files.cert_file, files.key_file))
    return tuple(stamp(path) for path in named if path and not is_text(path))
