"""`streamhooks dev`: everything on one machine, with nothing to set up."""

from streamhooks.dev.run import Options, run

__all__ = ["Options", "run"]
