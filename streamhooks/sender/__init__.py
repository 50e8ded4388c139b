"""The edge to the endpoints: sends a Request over HTTP and says what came of it."""

from streamhooks.sender.guard import GuardError
from streamhooks.sender.sender import Sender
from streamhooks.sender.tls import TlsNews

__all__ = ["GuardError", "Sender", "TlsNews"]
