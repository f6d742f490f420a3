"""Emoji: what follows from them is drawn after the answer, one message at a time."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import event

from bot.historian import Historian
from bot.listeners.edge import Edge
from bot.listeners.reactions import Waiting
from bot.paging import History
from bot.review.heard import ReactionFact
from bot.review.incident import UserId
from bot.slack import Slack
from storage import reactions, timeline
from tests.cast import CHANNEL, MARA, TEAM, Room, a_message, a_room, an_incident


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


@pytest.fixture
def edge(room: Room) -> Edge:
    client = AsyncWebClient(base_url="http://127.0.0.1:1/api/", retry_handlers=[])
    slack = Slack(client)
    historian = Historian(room.desk, slack, History(client, lambda: room.now))
    return Edge(room.desk, client, slack, historian=historian, bot_user=UserId("U0DEBRIEF"))


def pin(room: Room, ts: str) -> None:
    stamp = f"{room.now.timestamp():.6f}"
    fact = ReactionFact(channel=CHANNEL, ts=ts, user=MARA, name="pushpin", changed_ts=stamp, held=True)
    room.change(lambda db: reactions.keep(db, TEAM, fact))


async def settle(edge: Edge) -> None:
    await asyncio.gather(*edge.background)


async def test_what_an_emoji_asks_for_is_drawn_after_the_answer(room: Room, edge: Edge):
    incident = an_incident(room)
    ts = a_message(room, "rolled back")
    pin(room, ts)

    Waiting(edge).draw(CHANNEL, ts)
    await settle(edge)

    assert room.ask(lambda db: [told.words for told in timeline.told(db, incident)]) == ["rolled back"]


async def test_a_flood_of_emoji_takes_one_thread_and_each_message_once(room: Room, edge: Edge):
    an_incident(room)
    stamps = [a_message(room, f"no {n}", at=room.now + timedelta(seconds=n)) for n in (1, 2)]
    waiting, turns = Waiting(edge), list[object]()
    event.listen(room.storage.engine, "begin", turns.append)

    for _ in range(100):
        for ts in stamps:
            waiting.draw(CHANNEL, ts)
    at_once = len(edge.background)
    await settle(edge)

    assert at_once == 1
    assert len(turns) <= 3 * len(stamps)
