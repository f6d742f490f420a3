"""The keeper: what it has returned from is on disk."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, event, func, select, update
from sqlalchemy.exc import OperationalError

from bot.keeper import Keeper, NotKeepingError
from bot.review.heard import moment_of
from storage import messages, outbox, reactions
from storage.models import Channel, Incident, Membership, Message, OutboxNote, Reaction
from tests.cast import CHANNEL, MARA, TEAM, TOMAS, Room, a_room, an_incident

SECOND = int(datetime(2026, 11, 18, 14, 0, tzinfo=UTC).timestamp())


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return a_room(tmp_path)


@pytest.fixture
async def keeper(room: Room) -> AsyncIterator[Keeper]:
    keeper = Keeper(room.storage, TEAM, lambda: room.now)
    keeper.start()
    yield keeper
    await asyncio.to_thread(keeper.stop)


def delivery(**inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": TEAM, "event_id": "Ev0", "event": inner}


def a_post(text: str, second: int = 1, channel: str = CHANNEL, **more: Any) -> dict[str, Any]:
    ts = f"{SECOND + second}.000100"
    return delivery(type="message", channel=channel, user=TOMAS, text=text, ts=ts, event_ts=ts, **more)


def an_emoji(name: str, second: int, ts: str, channel: str = CHANNEL) -> dict[str, Any]:
    item = {"type": "message", "channel": channel, "ts": ts}
    return delivery(type="reaction_added", user=MARA, reaction=name, item=item, event_ts=f"{SECOND + second}.000000")


def kept_texts(room: Room) -> list[str]:
    """Read through a connection of its own: only what is committed is seen."""
    engine = create_engine(room.storage.engine.url)
    with engine.connect() as connection:
        found = list(connection.scalars(select(Message.text).order_by(Message.ts)))
    engine.dispose()
    return found


async def test_a_fact_is_committed_when_keep_returns(room: Room, keeper: Keeper):
    an_incident(room)

    await keeper.keep(a_post("checkout is slow"))

    assert kept_texts(room) == ["checkout is slow"]


async def test_a_flood_shares_its_commits(room: Room, keeper: Keeper):
    an_incident(room)
    commits: list[Any] = []
    event.listen(room.storage.engine, "commit", commits.append)

    await asyncio.gather(*(keeper.keep(a_post(f"no {n}", n)) for n in range(300)))

    assert len(kept_texts(room)) == 300
    assert len(commits) < 30


@pytest.fixture
def statements(room: Room) -> list[str]:
    """What the database is asked, without the beginnings of transactions."""
    asked: list[str] = []

    def ask(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            asked.append(statement)

    event.listen(room.storage.engine, "before_cursor_execute", ask)
    return asked


async def test_a_message_costs_two_statements_before_it_is_acknowledged(
    room: Room, keeper: Keeper, statements: list[str]
):
    an_incident(room)
    await keeper.keep(a_post("the first one looks up where we listen"))
    statements.clear()

    await keeper.keep(a_post("checkout is slow", 2))
    asked = list(statements)

    assert len(kept_texts(room)) == 2
    assert 1 <= len(asked) <= 2, asked


async def test_a_tag_costs_three_statements_before_it_is_acknowledged(
    room: Room, keeper: Keeper, statements: list[str]
):
    an_incident(room)
    await keeper.keep(a_post("checkout is slow"))
    statements.clear()

    await keeper.keep(an_emoji("pushpin", 5, f"{SECOND + 1}.000100"))
    asked = list(statements)

    assert room.ask(reactions.underived, TEAM) == [(CHANNEL, f"{SECOND + 1}.000100")]
    assert 1 <= len(asked) <= 3, asked


async def test_one_poisoned_event_does_not_lose_its_neighbours(
    room: Room, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
):
    an_incident(room)
    keep = messages.keep

    def refuse_poison(db: Any, team: str, *facts: Any) -> None:
        if any(fact.content.text == "poison" for fact in facts):
            raise ValueError(facts)
        keep(db, team, *facts)

    monkeypatch.setattr(messages, "keep", refuse_poison)

    texts = ["before", "poison", "after"]
    ends = await asyncio.gather(*(keeper.keep(a_post(t, n)) for n, t in enumerate(texts)), return_exceptions=True)

    assert kept_texts(room) == ["before", "after"]
    assert [type(end) for end in ends] == [type(None), ValueError, type(None)]


async def test_without_a_database_keep_raises_so_that_slack_tries_again(room: Room, keeper: Keeper):
    an_incident(room)
    room.change(lambda db: db.connection().exec_driver_sql("ALTER TABLE messages RENAME TO lost"))

    with pytest.raises(OperationalError):
        await keeper.keep(a_post("checkout is slow"))

    room.change(lambda db: db.connection().exec_driver_sql("ALTER TABLE lost RENAME TO messages"))
    await keeper.keep(a_post("checkout is slow"))
    assert kept_texts(room) == ["checkout is slow"]


async def test_a_stopped_keeper_has_kept_what_came_and_promises_no_more(room: Room):
    an_incident(room)
    keeper = Keeper(room.storage, TEAM, lambda: room.now)
    keeper.start()

    underway = [asyncio.ensure_future(keeper.keep(a_post(f"no {n}", n))) for n in range(50)]
    await asyncio.sleep(0)
    await asyncio.to_thread(keeper.stop)

    await asyncio.gather(*underway)
    assert len(kept_texts(room)) == 50
    with pytest.raises(NotKeepingError):
        await keeper.keep(a_post("too late", 99))


async def test_what_is_said_elsewhere_is_not_kept(room: Room, keeper: Keeper):
    an_incident(room)

    await keeper.keep(a_post("in the incident"))
    await keeper.keep(a_post("in the canteen", channel="C0CANTEEN"))
    await keeper.keep(an_emoji("pushpin", 5, f"{SECOND}.000100", channel="C0CANTEEN"))

    assert kept_texts(room) == ["in the incident"]
    assert room.ask(lambda db: db.scalar(select(func.count(Reaction.id)))) == 0


async def test_our_own_messages_are_kept(room: Room, keeper: Keeper):
    an_incident(room)

    await keeper.keep(a_post("I am Debrief", subtype="bot_message", bot_id="B0DEBRIEF"))

    assert kept_texts(room) == ["I am Debrief"]


async def test_a_message_deleted_after_the_incident_ended_is_erased_all_the_same(room: Room, keeper: Keeper):
    an_incident(room)
    await keeper.keep(a_post("a password"))
    room.change(lambda db: db.connection().exec_driver_sql("UPDATE sources SET until_at = '2026-11-18 15:00:00'"))
    gone = {"deleted_ts": f"{SECOND + 1}.000100", "ts": f"{SECOND + 9999}.0", "event_ts": f"{SECOND + 9999}.0"}

    await keeper.keep(a_post("nothing to do with it", 7_000))
    await keeper.keep(delivery(type="message", subtype="message_deleted", channel=CHANNEL, **gone))

    assert kept_texts(room) == [""]


async def test_an_emoji_may_be_heard_before_its_message(room: Room, keeper: Keeper):
    an_incident(room)

    await keeper.keep(an_emoji("pushpin", 5, f"{SECOND + 1}.000100"))
    before = room.ask(reactions.underived, TEAM)
    await keeper.keep(a_post("checkout is slow"))

    assert (before, room.ask(reactions.underived, TEAM)) == ([], [(CHANNEL, f"{SECOND + 1}.000100")])


@pytest.mark.parametrize("order", [("joined", "left"), ("left", "joined"), ("joined", "left", "joined", "left")])
async def test_coming_and_leaving_is_an_interval_in_whatever_order_it_is_heard(
    room: Room, keeper: Keeper, order: tuple[str, ...]
):
    at = {"joined": f"{SECOND}.000000", "left": f"{SECOND + 60}.000000"}

    for how in order:
        await keeper.keep(delivery(type=f"member_{how}_channel", channel=CHANNEL, user=TOMAS, event_ts=at[how]))

    spans = room.ask(lambda db: [(row.joined_at, row.left_at) for row in db.scalars(select(Membership))])
    assert spans == [(datetime.fromtimestamp(SECOND, UTC), datetime.fromtimestamp(SECOND + 60, UTC))]


async def test_a_channel_is_known_from_its_creation_and_stays_private_once_it_was(room: Room, keeper: Keeper):
    incident = an_incident(room)
    about = {"id": CHANNEL, "name": "inc-checkout", "created": SECOND, "creator": MARA}

    await keeper.keep(delivery(type="channel_created", channel=about, event_ts=f"{SECOND}.000000"))
    await keeper.keep(a_post("made private", 9, subtype="channel_convert_to_private"))
    await keeper.keep(delivery(type="channel_rename", channel={"id": CHANNEL, "name": "inc-x"}, event_ts=f"{SECOND}.1"))

    known = room.ask(lambda db: db.execute(select(Channel.name, Channel.creator, Channel.private_since)).one())
    assert tuple(known) == ("inc-x", MARA, datetime.fromtimestamp(SECOND + 9, UTC).replace(microsecond=100))
    hidden = room.ask(lambda db: list(db.scalars(select(Incident.id).where(Incident.private_since.is_not(None)))))
    assert hidden == [incident]


async def test_a_channel_that_gets_another_id_keeps_its_messages(room: Room, keeper: Keeper):
    an_incident(room)
    await keeper.keep(a_post("before"))
    moved = {"old_channel_id": CHANNEL, "new_channel_id": "C0NEW", "event_ts": f"{SECOND + 5}.000000"}

    await keeper.keep(delivery(type="channel_id_changed", **moved))
    await keeper.keep(a_post("after", 9, channel="C0NEW"))

    assert kept_texts(room) == ["before", "after"]


@pytest.mark.parametrize("junk", [{}, {"type": "url_verification"}, {"type": "event_callback", "event": [1]}])
async def test_a_delivery_that_says_nothing_is_passed_over(room: Room, junk: dict[str, Any]):
    not_even_started = Keeper(room.storage, TEAM, lambda: room.now)

    await not_even_started.keep(junk)

    assert kept_texts(room) == []


async def test_that_somebody_deleted_what_we_said_to_them_is_kept_and_nothing_else_of_the_conversation(
    room: Room, keeper: Keeper
):
    room.change(lambda db: outbox.say_once(db, TEAM, outbox.Words(key="a", channel=TOMAS, text="a", at=room.now)))
    ts = f"{SECOND + 5}.000100"
    room.change(lambda db: db.execute(update(OutboxNote).values(posted_channel="D0TOMAS", posted_ts=ts, state="sent")))
    gone = {"deleted_ts": ts, "ts": ts, "event_ts": f"{SECOND + 9}.000100", "previous_message": {"ts": ts, "text": "a"}}

    await keeper.keep(a_post("what is this?", second=7, channel="D0TOMAS"))
    await keeper.keep(delivery(type="message", subtype="message_deleted", channel="D0TOMAS", **gone))

    with room.storage.read() as db:
        deleted_at = db.scalars(select(OutboxNote.deleted_at)).one()
    assert deleted_at == moment_of(f"{SECOND + 9}.000100")
    assert kept_texts(room) == []
