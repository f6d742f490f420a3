"""People and channels go, beside the unmodified bot: it stops, says so once, and goes on when they are back."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.sandbox.driver import words_of
from tests.reliability.town import LEAD, OWNER, RESPONDER, Town, town

THURSDAY = datetime(2026, 11, 19, 14, 10, tzinfo=UTC)
"""A day before the meetings, in the working hours of everybody here."""
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
LEADS = {"archived": "tom", "left": OWNER, "deleted": RESPONDER}
COULD_NOT = "I could not say (this|these)"
LEAVER = "amara"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("terminal")) as town_of_all:
        town_of_all.driver.do("fault", rate_limits="off")
        yield town_of_all
        assert town_of_all.violations() == []


def a_planned_review(here: Town, way: str) -> str:
    """A channel whose incident is over, with a meeting on Friday at 14:00 UTC; its id."""
    lead, name = LEADS[way], f"inc-{way}"
    channel = here.driver.do("create", user=lead, name=name)["channel"]
    here.driver.wait_for_words(channel, "followed as an incident")
    for line in ("severity sev2", "began 13:00", "mitigated 14:00", "schedule 2026-11-20 14:00Z"):
        here.driver.type(lead, channel, line)
    here.driver.wait_for_words(channel, "meets on")
    return channel


def close(here: Town, way: str, channel: str) -> None:
    match way:
        case "archived":
            here.driver.do("archive", user=LEADS[way], channel=channel)
        case "left":
            here.driver.do("leave", user="debrief", channel=channel)
        case _:
            here.driver.do("delete_channel", user=LEADS[way], channel=channel)


def tried(here: Town, channels: list[str]) -> list[Any]:
    """What the bot tried to post in these channels."""
    calls = [call for call in here.driver.get("log")["calls"] if call["method"] in {"chat.postMessage", "chat.update"}]
    return [call for call in calls if call["args"].get("channel") in channels]


def told(here: Town, user: str, pattern: str = COULD_NOT) -> list[str]:
    words = [words_of(message) for message in here.driver.messages("dm", user)]
    return [text for text in words if re.search(pattern, text)]


def said(here: Town, channel: str, pattern: str) -> list[str]:
    return [text for text in map(words_of, here.driver.messages(channel)) if re.search(pattern, text)]


@pytest.mark.torture
def test_where_a_channel_is_closed_the_sending_stops_who_leads_hears_once_and_it_goes_on_when_it_is_open_again(
    here: Town,
):
    channels = {way: a_planned_review(here, way) for way in LEADS}
    for way, channel in channels.items():
        close(here, way, channel)
    before = len(tried(here, list(channels.values())))
    here.driver.move_clock_to(THURSDAY)
    for lead in LEADS.values():
        here.driver.wait_for_words("dm", COULD_NOT, lead)
    here.settles()
    on_thursday = {way: told(here, lead) for way, lead in LEADS.items()}
    tries = len(tried(here, list(channels.values()))) - before

    here.driver.do("unarchive", user=LEADS["archived"], channel=channels["archived"])
    here.driver.do("invite", user=LEADS["left"], channel=channels["left"])
    for way in ("archived", "left"):
        here.driver.wait_for_words(channels[way], "Before the review")
    for hour, minute in ((13, 52), (14, 12)):
        here.driver.move_clock_to(FRIDAY.replace(hour=hour, minute=minute))
        here.settles()

    assert tries == 0
    assert [len(texts) for texts in on_thursday.values()] == [1, 1, 1]
    assert "because the channel is archived" in on_thursday["archived"][0]
    assert "because I am not in it any more" in on_thursday["left"][0]
    for way in ("archived", "left"):
        assert [len(said(here, channels[way], words)) for words in ("Before the review", "begins at")] == [1, 1]
    assert {way: len(told(here, lead)) for way, lead in LEADS.items()} == {"archived": 1, "left": 1, "deleted": 1}


def test_whoever_leads_leaves_and_another_takes_over_with_one_press(here: Town):
    channel = here.driver.do("create", user=LEAVER, name="inc-leaver")["channel"]
    here.driver.wait_for_words(channel, "followed as an incident")
    here.driver.do("invite", user=LEAVER, channel=channel, users=RESPONDER)
    for line in ("severity sev2", "mitigated 5 min ago", f"action @{LEAVER} by 2026-12-15 long write the runbook"):
        here.driver.type(LEAVER, channel, line)
    here.driver.do("user", user=LEAVER, deleted=True)
    here.driver.wait_for_words(channel, "has left this workspace. Who of you takes it over")
    here.settles()
    asked = said(here, channel, "has left this workspace")

    here.driver.press(RESPONDER, channel, "Name another lead")
    here.driver.fill(RESPONDER, owner="U0JONAS")
    here.driver.wait_for_words(channel, "is the lead of this review now")
    here.driver.press(RESPONDER, channel, "Hand over")
    here.driver.fill(RESPONDER, owner="U0NOOR")

    here.driver.wait_for(lambda: "U0NOOR" in here.driver.type(RESPONDER, channel, "actions open"), "the new owner")
    here.settles()
    assert len(asked) == len(said(here, channel, "has left this workspace")) == 1
    assert told(here, LEAVER, ".") == []


@pytest.mark.torture
def test_an_owner_leaves_and_their_action_is_handed_over_from_the_message_that_says_so(here: Town):
    here.types(LEAD, "severity sev2", "mitigated 5 min ago", "schedule mon 15:00")
    here.types(LEAD, "action @ines by 2026-12-10 long alert on stuck queues")
    here.driver.do("user", user="ines", deleted=True)
    here.driver.move_clock_to(datetime(2026, 11, 24, 8, 30, tzinfo=UTC))
    here.driver.wait_for_words("dm", "has an owner I cannot reach", LEAD)
    number = re.findall(r"Action (\d+)\*? has an owner", told(here, LEAD, "cannot reach")[0])[0]
    for day in (25, 26):
        here.driver.move_clock_to(datetime(2026, 11, day, 8, 30, tzinfo=UTC))
        here.settles()
    once = told(here, LEAD, "cannot reach")

    here.driver.press(LEAD, "dm", f"Hand over {number}")
    here.driver.fill(LEAD, owner="U0TOM")

    here.driver.wait_for(lambda: "U0TOM" in here.types(LEAD, f"action {number}"), "the new owner")
    assert len(once) == 1
    assert told(here, "ines", ".") == []


def test_nothing_went_wrong_meanwhile(here: Town):
    log = here.log.read_text()

    assert "a gesture failed" not in log
    assert "could not serve" not in log
