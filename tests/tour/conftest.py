"""The tour runs on the rig of the tests of the whole journey."""

from tests.flow.conftest import records, rig

__all__ = ["records", "rig"]
