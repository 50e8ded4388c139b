"""The console is looked at by a browser, at workers that run; the rig is that of the tests of the whole journey."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.console.browser import PROGRAM, Browser
from tests.flow.conftest import records, rig

__all__ = ["records", "rig"]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """No page that it opens may ask for anything at another host than its own."""
    if PROGRAM is None:
        pytest.skip("chromium is not installed")
    async with Browser() as running:
        yield running
        assert [page.strangers for page in running.pages if page.strangers] == []
