"""The picture below a summary on the running bot: it goes with what is erased, and a power cut does not double it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.reliability.town import CHANNEL, LEAD, OWNER, RESPONDER, Json, Town, town

HELD = ("mitigated", "facilitator me", "start", "end")
SECRETIVE = "the dump is at s3.example.com/orders-2026"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as here:
        yield here


def a_held_review(here: Town) -> str:
    """A review with a message on its timeline, drafted; the message's ts."""
    here.types(LEAD, f"owner @{OWNER}")
    ts = here.driver.say(RESPONDER, CHANNEL, SECRETIVE)
    here.driver.do("react", user=LEAD, channel=CHANNEL, ts=ts, emoji="pushpin")
    here.driver.wait_for(lambda: here.review()["timeline"], "the event")
    here.types(OWNER, *HELD)
    here.types(OWNER, "draft")
    return ts


def pictures(here: Town) -> list[Json]:
    """The pictures that can be seen in the channel."""
    blocks = [block for message in here.driver.messages(CHANNEL) for block in message.get("blocks") or ()]
    return [block["slack_file"] for block in blocks if block["type"] == "image"]


def test_a_published_picture_goes_with_the_message_that_it_showed(here: Town):
    ts = a_held_review(here)
    here.types(OWNER, "publish")
    here.driver.wait_for(lambda: pictures(here), "the picture")
    (before,) = pictures(here)

    here.driver.do("delete", user=RESPONDER, channel=CHANNEL, ts=ts)
    here.driver.wait_for(lambda: pictures(here) not in ([], [before]), "another picture")

    assert len(pictures(here)) == 1
    assert called(here, "files.delete") == 1
    assert here.violations() == []
    assert files_kept(here) == []


def files_kept(here: Town) -> list[Json]:
    """What the archive knows of the pictures."""
    return [file for message in here.review()["messages"] for file in message["files"]]


def test_a_power_cut_while_it_is_posted_neither_loses_nor_doubles_the_picture(here: Town):
    a_held_review(here)
    here.driver.do("fault", method="files.info", kind="timeout_after", seconds=30)
    here.types(OWNER, "publish")
    here.driver.wait_for(lambda: called(here, "files.info"), "the picture to be on its way")

    here.kill()
    here.start()
    for _ in range(3):
        here.driver.pass_time(61)
        here.settles()

    assert len(pictures(here)) == 1


def called(here: Town, method: str) -> int:
    return sum(call["method"] == method for call in here.driver.get("log")["calls"])
