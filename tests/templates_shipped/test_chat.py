"""Slack, Teams, Discord: what they show, and that they take it."""

import pytest

from streamhooks.event_types import NAMES, example
from streamhooks.model import Event
from tests.templates_shipped.shipped import HOSTILE, HOSTILE_IDS, body, document, events, hostile


def slack_texts(event: Event) -> tuple[str, str, str]:
    """The notification, the header and the section of a message whose shape is right."""
    message = document("slack.json", event)
    header, section = message["blocks"]
    assert (header["type"], section["type"]) == ("header", "section")
    assert {header["text"]["type"], section["text"]["type"]} == {"plain_text"}
    return message["text"], header["text"]["text"], section["text"]["text"]


def card(event: Event) -> list[list[str]]:
    """The lines of the Teams card, each as its runs."""
    message = document("teams.json", event)
    assert message["type"] == "message"
    (attachment,) = message["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    content = attachment["content"]
    assert (content["type"], content["version"]) == ("AdaptiveCard", "1.4")
    return [[run["text"] for run in block["inlines"]] for block in content["body"]]


def test_slack_shows_what_happened_and_where() -> None:
    assert slack_texts(example("VersionFailure")) == (
        "VersionFailure: Attempted access to disallowed version / path.",
        "VersionFailure",
        (
            "Attempted access to disallowed version / path.\nAPI: payments\nOrganisation: acme\nPath: /orders/7\n"
            "Origin: 203.0.113.7\nKey: 5d8e***\nReason: Requested endpoint is forbidden"
        ),
    )


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_slack_takes_every_message(text: str) -> None:
    """Limits of Block Kit: 150 characters in a header, 3000 in a section; no text may be empty."""
    for event in (*events(), *(hostile(type, text) for type in NAMES)):
        notification, header, section = slack_texts(event)
        assert 0 < len(notification) <= 3000
        assert 0 < len(header) <= 150
        assert 0 < len(section) <= 3000


def test_no_event_mentions_anybody_or_links_anywhere_in_slack() -> None:
    notification, _, _ = slack_texts(hostile("AuthFailure", "<!channel> & <https://evil.example|here>"))
    assert notification == "AuthFailure: &lt;!channel&gt; &amp; &lt;https://evil.example|here&gt;"


def test_teams_shows_what_happened_and_where() -> None:
    assert card(example("HostDown")) == [
        ["HostDown"],
        ["Uptime test failed"],
        ["API: ", "payments"],
        ["Organisation: ", "acme"],
        ["Host: ", "http://10.0.3.4:8000/health, status 503"],
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_teams_takes_every_message(text: str) -> None:
    """A message to Teams may have 28 KB, and a run of text must have some."""
    for event in (*events(), *(hostile(type, text) for type in NAMES)):
        assert all(all(line) for line in card(event))
        assert len(body("teams.json", event).encode()) < 28 * 1024


def test_discord_shows_what_happened_and_where() -> None:
    assert document("discord.json", example("TriggerExceeded")) == {
        "content": "```\nTriggerExceeded\nQuota trigger reached\nAPI: payments\nOrganisation: acme\nKey: 5d8e***\n"
        "Used: 83 % of the quota\n```",
        "allowed_mentions": {"parse": []},
    }


@pytest.mark.parametrize("text", HOSTILE, ids=HOSTILE_IDS)
def test_discord_takes_every_message_and_no_value_leaves_the_code_block(text: str) -> None:
    """2000 characters at most, also where they are counted in UTF-16."""
    for event in (*events(), *(hostile(type, text) for type in NAMES)):
        content = document("discord.json", event)["content"]
        assert 0 < len(content.encode("utf-16-le")) // 2 <= 2000
        assert content.startswith("```\n")
        assert content.endswith("\n```")
        assert "`" not in content[3:-3]
