"""Reading back on the running bot: what Slack lost comes again, what a person deleted does not, and no two stay."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk import WebClient

from bot.sandbox.driver import words_of
from bot.sandbox.workspace import BOT_TOKEN, BOT_USER
from storage.read_back import SOON
from tests.reliability.town import CHANNEL, LEAD, OWNER, Json, Town, town

LATER_S = SOON.total_seconds() + 5


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as here:
        yield here


def of_us(here: Town, pattern: str) -> list[Json]:
    """The bot's messages in the channel that say this."""
    said = [message for message in here.driver.messages(CHANNEL) if message.get("metadata")]
    return [message for message in said if re.search(pattern, words_of(message))]


def posts(here: Town) -> int:
    return sum(call["method"] == "chat.postMessage" for call in here.driver.get("log")["calls"])


def said_again_by_hand(here: Town, message: Json) -> None:
    """As whoever did not know that it was said."""
    client = WebClient(token=BOT_TOKEN, base_url=f"{here.driver.url}/api/")
    client.chat_postMessage(channel=CHANNEL, text=message["text"], metadata=message["metadata"])


def test_what_slack_lost_comes_again_what_somebody_deleted_stays_away_and_of_two_one_goes(here: Town):
    here.types(LEAD, "mitigated")
    here.driver.wait_for(lambda: of_us(here, "^Mitigated"), "the note")
    (unwelcome,), (doubled,) = of_us(here, "^Mitigated"), of_us(here, "is now followed")
    here.driver.do("delete", user=BOT_USER, channel=CHANNEL, ts=unwelcome["ts"])  # As an admin may.
    said_again_by_hand(here, doubled)
    here.driver.do("fault", method="chat.postMessage", kind="forget")
    before = posts(here)
    here.types(LEAD, f"owner @{OWNER}")
    here.driver.wait_for(lambda: posts(here) > before, "the post that is lost")

    here.driver.pass_time(LATER_S)
    here.driver.wait_for(lambda: of_us(here, "owns|owner"), "the post that was lost")
    here.driver.wait_for(lambda: len(of_us(here, "is now followed")) == 1, "one of the two to go")

    assert of_us(here, "is now followed") == [doubled]
    assert of_us(here, "^Mitigated") == []
    assert here.violations() == []
