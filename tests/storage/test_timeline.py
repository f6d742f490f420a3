"""The timeline's rows on both databases: what emoji make of a message, derived as often as one likes."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from bot.review.heard import MessageFact, ReactionFact, moment_of, read_message
from bot.review.timeline import Kind
from storage import messages, people, reactions, timeline
from storage.models import Incident, Message, Source
from storage.session import Storage

TEAM, CHANNEL, BOT = "T0SANDBOX", "C0INC", "U0DEBRIEF"
NOW = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)
EMOJI = {"pushpin": "guess", "scales": "decision", "hammer_and_wrench": "action_taken", "clipboard": "action"}
SECOND = int(NOW.timestamp())


@pytest.fixture
def storage(database_url: str) -> Iterator[Storage]:
    storage = Storage(database_url)
    yield storage
    storage.close()


@pytest.fixture
def db(storage: Storage) -> Iterator[Session]:
    with storage.write() as db:
        yield db


def an_incident(db: Session) -> Incident:
    people.know_workspace(db, TEAM, name="", url="", bot_user=BOT, bot_id="B0DEBRIEF", mark_key="k")
    incident = Incident(team_id=TEAM, title="Checkout", opened_at=NOW)
    db.add(incident)
    db.flush()
    db.add(Source(team_id=TEAM, incident_id=incident.id, channel_id=CHANNEL, from_at=NOW - timedelta(days=1)))
    return incident


def a_message(db: Session, ts: str, text: str = "rolled back") -> Message:
    fact = read_message({"ts": ts, "text": text, "user": "U0TOMAS"}, CHANNEL)
    assert isinstance(fact, MessageFact)
    messages.keep(db, TEAM, fact)
    found = messages.find(db, TEAM, CHANNEL, ts)
    assert found
    return found


def follow(db: Session, incident: Incident, message: Message) -> None:
    rows = reactions.on(db, TEAM, CHANNEL, message.ts)
    held = timeline.held_emoji(rows, EMOJI, own=BOT)
    timeline.follow_emoji(db, incident, message, held, source="message", now=NOW)


def shown(db: Session, incident: Incident, message: Message) -> list[tuple[str, str | None]]:
    told = timeline.told(db, incident.id)
    return [(event.kind, event.event.kind_by) for event in told if event.message is message]


def emoji(ts: str, name: str, user: str, after: int, *, held: str) -> ReactionFact:
    at = f"{SECOND + after}.000000"
    return ReactionFact(channel=CHANNEL, ts=ts, user=user, name=name, changed_ts=at, held=held == "added")


def test_an_event_is_told_with_its_words_its_message_and_its_comments(db: Session):
    incident, message = an_incident(db), a_message(db, f"{SECOND}.000100")
    reactions.keep(db, TEAM, emoji(message.ts, "scales", "U0MARA", 1, held="added"))
    follow(db, incident, message)
    event = timeline.numbered(db, incident.id, 1)
    assert event

    timeline.comment(db, event, "two minutes late", by="U0MARA", now=NOW)

    told = timeline.told(db, incident.id)[0]
    assert (told.words, told.kind, told.comments, told.message) == ("rolled back", "decision", 1, message)
    assert (event.kind_by, event.occurred_at) == ("U0MARA", moment_of(message.ts))


def test_the_timeline_is_in_order_of_time_whatever_the_numbers(db: Session):
    incident = an_incident(db)
    for minutes in (5, 9, 1):
        at = NOW - timedelta(minutes=minutes)
        timeline.add(db, incident, Kind.note, at, by="U0MARA", source="typed", now=NOW, text=str(minutes))

    assert [(event.number, event.words) for event in timeline.told(db, incident.id)] == [(2, "9"), (1, "5"), (3, "1")]


@pytest.fixture
def sqlite_storage(sqlite_url: str) -> Iterator[Storage]:
    storage = Storage(sqlite_url)
    yield storage
    storage.close()


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["pushpin", "scales", "hammer_and_wrench", "clipboard"]),
        st.sampled_from(["U0MARA", "U0TOMAS", BOT]),
        st.sampled_from(["added", "removed"]),
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(DEEDS, st.data())
def test_however_late_and_often_emoji_are_followed_the_timeline_says_the_same(
    sqlite_storage: Storage, deeds: list[tuple[str, str, str]], data: st.DataObject
):
    """One message is followed after each deed; its twin is told everything in another order, then followed."""
    with contextlib.suppress(NothingOfItStays), sqlite_storage.write() as db:
        incident = an_incident(db)
        watched, twin = (a_message(db, f"{SECOND}.00000{n}") for n in range(2))
        facts = [(name, user, after, held) for after, (name, user, held) in enumerate(deeds, start=1)]

        for name, user, after, held in facts:
            reactions.keep(db, TEAM, emoji(watched.ts, name, user, after, held=held))
            follow(db, incident, watched)
        for name, user, after, held in data.draw(st.permutations(facts)):
            reactions.keep(db, TEAM, emoji(twin.ts, name, user, after, held=held))
        for _ in range(2):
            follow(db, incident, twin)

        assert shown(db, incident, watched) == shown(db, incident, twin)
        raise NothingOfItStays


class NothingOfItStays(Exception):
    """Undoes a write at its end."""
