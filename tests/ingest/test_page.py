"""docs/ingest.md says what is: its configurations load, its commands are run, its answers and limits are those."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from streamhooks.files import load
from streamhooks.ingest import bodies, door, forms
from streamhooks.ingest.kinds import TYPES
from streamhooks.settings import Ingest
from tests.flow.rig import Rig
from tests.ingest.asking import TOKEN, stored
from tests.ingest.asking import door as opened_door

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "ingest.md").read_text()
COMMANDS = re.findall(r"^    (curl (?:.*\\\n)*.*)$", PAGE, re.MULTILINE)
YAML = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
EXPECTED = [
    ("HTTP/1.1 202", ["AuthFailure"]),
    ('{"ids":', ["AuthFailure", "KeyExpired"]),
    ('{"ids":', ["AuthFailure"]),
    ('{"ids":', ["AuthFailure"]),
    ('{"ids":', ["AuthFailure"]),
    ('{"error":', []),
]
"""What each command prints first, and the types of the events that it adds."""


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_every_command_of_the_page_does_what_the_page_says(rig: Rig) -> None:
    assert len(COMMANDS) == len(EXPECTED)
    printed = []
    async with opened_door(rig, ingest={"token": TOKEN}) as ours:
        for command, (begins, types) in zip(COMMANDS, EXPECTED, strict=True):
            await rig.redis.flushall()
            line = command.replace("127.0.0.1:8090", ours.address)
            process = await asyncio.create_subprocess_exec(
                "bash",
                "-c",
                line,
                env={"TOKEN": TOKEN, "PATH": "/usr/bin:/bin:/usr/local/bin"},
                stdout=asyncio.subprocess.PIPE,
            )
            out, _ = await process.communicate()
            printed.append(out.decode())
            assert out.decode().startswith(begins), (line, out)
            assert [event.type for event in await stored(rig)] == types
    assert json.loads(printed[4])["skipped"] == 1
    [shown] = re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert json.loads(printed[5]) == json.loads(shown)


@pytest.mark.parametrize("block", YAML, ids=range(len(YAML)))
def test_every_configuration_of_the_page_loads(block: str, tmp_path: Path) -> None:
    file = tmp_path / "streamhooks.yaml"
    (tmp_path / "token").write_text("x\n")
    file.write_text(block.replace("/run/secrets/ingest", str(tmp_path / "token")))
    loaded = load([file], {"STREAMHOOKS_INGEST_TOKEN": "x", "NEXT_INGEST_TOKEN": "y"})
    assert loaded.settings.ingest.listen


def test_the_types_and_kinds_of_the_page_are_those_of_the_door() -> None:
    rows = set(re.findall(r"`(application/[a-z.+-]+)`", PAGE))
    assert rows == set(TYPES)
    source = "".join(path.read_text() for path in Path(door.__file__).parent.glob("*.py"))
    raised = set(re.findall(r"(?:IngestError\(\d+|unreadable\(|_unauthorized\()(?:, )?\"([a-z_]+)\"", source))
    raised |= {"redis_away", "redis_refuses", "redis_error"}
    table = PAGE.partition("| status | kind |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) - {"events", "ids"} == raised - {"internal"}


def test_the_limits_of_the_page_are_the_limits() -> None:
    limits = Ingest()
    assert (limits.max_body_bytes, limits.body_timeout, limits.max_stream_entries) == (1048576, 10, 1000000)
    assert "max_body_bytes: 1048576" in PAGE
    assert "body_timeout: 10s" in PAGE
    assert "max_stream_entries: 1000000" in PAGE
    assert f"at most {bodies.MOST_EVENTS} events; a form has at most {forms.MOST_FIELDS} fields" in PAGE
    said = f"{door.AT_ONCE} requests are read and stored at once, {door.MOST_CONNECTIONS} connections are open"
    assert f"{said}; one that says nothing for {door.IDLE:g} s is closed" in PAGE
