"""`from streamhooks.sync import Publisher`: the publisher for programs without asyncio, with the same names."""

from streamhooks.publisher.blocking import Publisher

__all__ = ["Publisher"]
