"""Who is told of which events: the forms in which people write it, the handlers made of them, and their catalogue."""

from streamhooks.handlers.catalogue import Catalogue
from streamhooks.handlers.handler import Handler

__all__ = ["Catalogue", "Handler"]
