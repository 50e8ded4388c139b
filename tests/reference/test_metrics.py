"""The reference of metrics: what it says of a series is what a worker shows, and what has no text is not there."""

import re

import aiohttp

from tests.flow.conftest import records, rig
from tests.flow.rig import Rig
from tests.reference import metrics

__all__ = ["records", "rig"]
PAGE = metrics.page()


async def test_a_worker_shows_the_series_of_the_page_with_their_labels_and_no_others(rig: Rig) -> None:
    rig.endpoint.script(422)
    sections = {"admin": {"listen": "127.0.0.1:0"}, "ingest": {"listen": "127.0.0.1:0"}}
    async with rig.working(rig.handler(), **sections):
        await rig.publish("abc")
        await rig.settled(dead=1)
        (said,) = rig.records.of("admin_listens")
        (door,) = rig.records.of("ingest_listens")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://{door['address']}/nowhere") as answer:
                assert answer.status == 404
            async with session.get(f"http://{said['address']}/metrics") as answer:
                text = await answer.text()
    shown = dict(re.findall(r"^# TYPE (streamhooks_\w+) (\w+)$", text, re.MULTILINE))
    told = dict(re.findall(r"^\| `(streamhooks_\w+)` \| (\w+) ", PAGE, re.MULTILINE))
    assert told == shown
    labels = set(re.findall(r'[{,](\w+)="', text)) - {"le"}
    assert labels <= set(metrics.LABELS)
    terms = set(re.findall(r'term="(\w+)"', text))
    assert terms == set(re.findall("`(.+?)`", metrics.LABELS["term"]))


def test_every_series_has_a_text_and_every_label_too() -> None:
    own, shared = metrics.series()
    assert [metric.name for metric in (*own, *shared) if not metric.documentation.endswith(".")] == []
    assert {label for metric in (*own, *shared) for label in metrics.labels_of(metric)} <= set(metrics.LABELS)
    assert len(shared) >= 8
