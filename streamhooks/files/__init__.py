"""The edge to the disk: the configuration with all that it names, read (disk) and put together (loading)."""

from streamhooks.files.disk import Held, stamp
from streamhooks.files.loading import (
    DEFAULT_SEARCH,
    SHIPPED,
    Loaded,
    TykFiles,
    load,
    load_mapping,
    load_tyk,
)

__all__ = ["DEFAULT_SEARCH", "SHIPPED", "Held", "Loaded", "TykFiles", "load", "load_mapping", "load_tyk", "stamp"]
