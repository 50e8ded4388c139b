"""What the tests of `explain` begin with: the page that it prints, taken apart."""

import re
from typing import Any

from msgspec import Struct

from tests.doors.command import Ran, command
from tests.flow.rig import Config, Rig


class Page(Struct, frozen=True):
    """What `explain` has printed, block by block, without the indents."""

    blocks: dict[str, list[str]]

    def __getitem__(self, title: str) -> list[str]:
        return self.blocks.get(title, [])

    @property
    def happened(self) -> list[str]:
        """The steps without their times."""
        return [line.partition("  ")[2] for line in self["what happened"]]


def page(ran: Ran) -> Page:
    assert (ran.code, ran.err) == (0, "")
    blocks = [block.splitlines() for block in ran.out.split("\n\n")]
    return Page({lines[0]: [line.strip() for line in lines[1:]] for lines in blocks})


async def explained(rig: Rig, id: str, *handlers: Config, **sections: Any) -> Page:
    return page(await command("explain", id, "--config", rig.written(*handlers, **sections)))


def blurred(lines: list[str]) -> list[str]:
    """Sentences without what differs from run to run: the length of an attempt."""
    return [re.sub(r"after \w+[,:;]?", "after MS", line) for line in lines]


async def total(rig: Rig, term: str) -> int:
    """One term of the account."""
    return (await rig.totals()).get(term, 0)
