"""Gateway events from a Redis stream to webhooks: at least once, cooled down, nothing lost on a crash."""

__version__ = "0.1.0"
