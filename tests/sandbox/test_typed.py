"""What people type, as Slack keeps it."""

from typing import Any

import pytest

from bot.sandbox.clock import VirtualClock
from bot.sandbox.seed import fill
from bot.sandbox.typed import rich_text, typed
from bot.sandbox.workspace import Workspace
from tests.sandbox.cast import Bot, People


@pytest.fixture
def workspace() -> Workspace:
    workspace = Workspace(VirtualClock())
    fill(workspace, None, bot_name="Debrief")
    return workspace


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("hello @lena, see #general.", "hello <@U0LENA>, see <#C0GENERAL>."),
        ("@oncall please", "<!subteam^S0ONCALL> please"),
        ("@nobody in #nowhere", "@nobody in #nowhere"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("see https://x.example/@lena?a=1&b=2.", "see <https://x.example/@lena?a=1&amp;b=2>."),
        (
            "<@U0LENA> and <https://x.example|there> &amp; <!here>",
            "<@U0LENA> and <https://x.example|there> &amp; <!here>",
        ),
        ("mail to ada@lena", "mail to ada@lena"),
        ("", ""),
    ],
)
def test_a_text_is_kept_in_slack_s_form(workspace: Workspace, text: str, kept: str):
    assert typed(workspace, text) == kept


def test_mentions_may_carry_their_names(workspace: Workspace):
    assert typed(workspace, "@lena #general", named=True) == "<@U0LENA|lena> <#C0GENERAL|general>"


def test_the_rich_text_beside_it_is_what_was_typed(workspace: Workspace):
    [block] = rich_text(workspace, typed(workspace, "a<b @lena https://x.example"))

    assert block["elements"][0]["elements"] == [
        {"type": "text", "text": "a<b "},
        {"type": "user", "user_id": "U0LENA"},
        {"type": "text", "text": " "},
        {"type": "link", "url": "https://x.example"},
    ]


async def test_outsiders_see_nothing_of_a_private_channel(connected: tuple[People, Bot]):
    people, _bot = connected
    await people.do("create", user="priya", name="quiet", private=True)

    deeds: list[dict[str, Any]] = [
        await people.do("message", user="lena", channel="quiet", text="x"),
        await people.do("command", user="lena", channel="quiet", command="/review"),
        await people.see("messages/quiet", user="lena"),
    ]

    assert [d["error"] for d in deeds] == ["there is no channel 'quiet' here"] * 3
    assert (await people.see("messages/quiet", user="priya"))["messages"]


async def test_a_deactivated_person_does_nothing(people: People):
    await people.do("user", user="tom", deleted=True)

    assert (await people.do("message", user="tom", channel="incidents", text="x"))["error"] == "account_inactive"
