"""TLS by what a route says of it: contexts made once, and made anew when their files change.

Laws: TLS 1.2 at least; certificate and host name are checked unless the route says otherwise. A file that was renewed
is in force for every connection opened after it was seen; one that cannot be used is told of once, and what was in
force stays so. Files are looked at when somebody sends, every few seconds at most; a route without files never looks.
"""

import ssl
import time
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from streamhooks.handlers.handler import Tls
from streamhooks.pem import is_text, on_disk, stamp
from streamhooks.secret import revealed

LOOK_EVERY = 2.0
"""Seconds between two looks at the files of a route."""


class Unusable(Struct, frozen=True):
    """A route whose files cannot be used."""

    message: str


class TlsNews(Struct, frozen=True):
    """Files were read, or could not be. `fault` is empty where new connections use them from now on."""

    files: tuple[str, ...]
    fault: str = ""


Tell: TypeAlias = Callable[[TlsNews], None]
_Stamps: TypeAlias = tuple[tuple[int, ...] | None, ...]


class _Kept:
    """What is in force, and of which files it was made."""

    __slots__ = ("files", "looked", "made", "refused", "stamps")

    def __init__(self, files: tuple[str, ...]) -> None:
        self.files = files
        self.made: ssl.SSLContext | Unusable = Unusable("")
        self.stamps: _Stamps = ()
        self.refused: _Stamps | None = None
        """The files that were told of last because they could not be used."""
        self.looked = float("-inf")


class Contexts:
    """TLS contexts, shared by all routes that say the same. `tell` hears of files; `clock` gives seconds."""

    def __init__(self, tell: Tell, clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._kept: dict[Tls, _Kept] = {}

    def of(self, tls: Tls) -> ssl.SSLContext | Unusable:
        kept = self._kept.get(tls)
        if kept is None:
            kept = self._kept[tls] = _Kept(files_of(tls))
        if (kept.files or isinstance(kept.made, Unusable)) and (now := self._clock()) - kept.looked >= LOOK_EVERY:
            kept.looked = now
            self._look(tls, kept)
        return kept.made

    def _look(self, tls: Tls, kept: _Kept) -> None:
        # Before reading, so that what changes meanwhile is seen the next time.
        stamps = tuple(stamp(path) for path in kept.files)
        if isinstance(kept.made, ssl.SSLContext) and stamps == kept.stamps:
            return
        made = tls_context(tls)
        if isinstance(made, Unusable):
            if stamps != kept.refused:
                kept.refused = stamps
                self._tell(TlsNews(kept.files, made.message))
            if isinstance(kept.made, Unusable):
                kept.made = made
            return
        if kept.stamps or kept.refused:
            self._tell(TlsNews(kept.files))
        kept.made, kept.stamps, kept.refused = made, stamps, None


def tls_context(tls: Tls) -> ssl.SSLContext | Unusable:
    """The context of these settings, whose files are read now."""
    try:
        context = _trusting(revealed(tls.ca_file))
        if tls.cert_file:
            with on_disk(revealed(tls.cert_file)) as cert, on_disk(revealed(tls.key_file)) as key:
                # An encrypted key asks at the terminal for its password unless one is given.
                context.load_cert_chain(cert, key or None, password="")  # nosec B106  # none
    except (OSError, ValueError) as error:
        return Unusable(f"the files of `tls` (ca_file, cert_file, key_file) cannot be used: {_reason(error)}")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(ca_file: str) -> ssl.SSLContext:
    if is_text(ca_file):
        return ssl.create_default_context(cadata=ca_file)
    return ssl.create_default_context(cafile=ca_file or None)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        # What else OpenSSL says changes from release to release, and tells little.
        if error.reason == "KEY_VALUES_MISMATCH":
            return "the key is not that of the certificate"
        return "one of them is no PEM that can be read, or a key with a password"
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def files_of(tls: Tls) -> tuple[str, ...]:
    """The paths that it names."""
    named = map(revealed, (tls.ca_file, tls.cert_file, tls.key_file))
    return tuple(path for path in named if path and not is_text(path))
