"""The rig of tests/flow: a worker whose metrics are asked for."""

from tests.flow.conftest import records, rig

__all__ = ["records", "rig"]
