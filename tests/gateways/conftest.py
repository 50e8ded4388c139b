"""Gateways publish to workers that run; the rig is that of the tests of the whole journey."""

from tests.flow.conftest import records, rig

__all__ = ["records", "rig"]
