"""What `import streamhooks` costs, and what it gives."""

import subprocess
import sys

import pytest

import streamhooks
from streamhooks.model import Event
from streamhooks.publisher.aio import Publisher


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a process has loaded after it."""
    told = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(ended.stdout.split())


def test_importing_it_loads_no_client_and_no_server() -> None:
    assert not loaded_by("import streamhooks; streamhooks.__version__") & {"redis", "aiohttp", "msgspec", "asyncio"}
    assert "redis" not in loaded_by("from streamhooks import Event")


def test_the_publisher_needs_nothing_of_the_worker() -> None:
    for code in ("from streamhooks import Publisher", "from streamhooks.sync import Publisher"):
        modules = f"{code}\nimport sys\nprint(*(name for name in sys.modules if name.startswith('streamhooks.')))"
        ended = subprocess.run([sys.executable, "-c", modules], capture_output=True, text=True, check=True)
        rooms = {name.split(".")[1] for name in ended.stdout.split()}
        rules = {"wire", "envelope", "payload", "event_types", "own_events", "partitioning"}
        assert rooms <= {"publisher", "connecting", "sync", "model", "errors", "secret", "pem", *rules}
        assert "aiohttp" not in loaded_by(code)


def test_the_package_exports_three_names() -> None:
    assert streamhooks.__all__ == ["Event", "Publisher", "__version__"]
    assert (streamhooks.Event, streamhooks.Publisher) == (Event, Publisher)
    with pytest.raises(AttributeError, match=r"^module 'streamhooks' has no attribute 'Worker'$"):
        streamhooks.Worker  # noqa: B018  it is asked for on purpose
