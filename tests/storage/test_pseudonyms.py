"""The door: what Slack says of somebody who is forgotten names their pseudonym; all others are let in as they are."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.review.heard import (
    ChannelFact,
    Content,
    Fact,
    MembershipFact,
    MessageFact,
    PersonFact,
    ReactionFact,
    moment_of,
)
from bot.review.pseudonym import is_pseudonym
from storage import messages, pseudonyms
from storage.models import ErasedPerson
from tests.canary import rows_with
from tests.cast import CHANNEL, MARA, TEAM, TOMAS, Room, a_room, an_incident

TS = "1763474400.000100"


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def forget(room: Room, user: str = TOMAS) -> str:
    pseudonym = room.change(lambda db: pseudonyms.give(db, TEAM, user, now=room.now))
    room.storage.forgotten.forget()
    return pseudonym


def let_in(room: Room, fact: Fact) -> Fact:
    return room.change(lambda db: pseudonyms.let_in(db, TEAM, [fact])[0])


def test_a_message_by_somebody_who_is_forgotten_is_kept_under_their_pseudonym(room: Room):
    an_incident(room)
    pseudonym = forget(room)
    said = [{"type": "user", "user_id": TOMAS}]
    content = Content(text="<@U0TOMAS> asks <@U0MARA>", blocks=said)

    fact = MessageFact(channel=CHANNEL, ts=TS, how="posted", user=TOMAS, content=content)
    room.change(lambda db: messages.keep(db, TEAM, fact))

    message = room.change(lambda db: messages.find(db, TEAM, CHANNEL, TS))
    assert (message.user_id, message.plain) == (pseudonym, f"@{pseudonym} asks @U0MARA")
    assert message.blocks == [{"type": "user", "user_id": pseudonym}]


def test_everything_else_that_is_heard_of_them_names_it_too(room: Room):
    pseudonym, at = forget(room), moment_of(TS)
    facts: list[Fact] = [
        ReactionFact(channel=CHANNEL, ts=TS, user=TOMAS, name="eyes", changed_ts=TS, held=True),
        MembershipFact(channel=CHANNEL, user=TOMAS, how="joined", at=at),
        ChannelFact(channel=CHANNEL, at=at, creator=TOMAS, how="created"),
        PersonFact(
            user_id=TOMAS, name="Tomas", zone="Europe/London", email="t@example.com", is_bot=False, deleted=False
        ),
    ]

    kept = [let_in(room, fact) for fact in facts]

    assert pseudonym in repr(kept)
    assert not any(word in repr(kept) for word in (TOMAS, "Tomas", "Tokyo", "t@example.com"))


def test_everybody_else_is_let_in_as_they_are(room: Room):
    forget(room)
    fact = ReactionFact(channel=CHANNEL, ts=TS, user=MARA, name="eyes", changed_ts=TS, held=True)

    assert let_in(room, fact) == fact


def test_where_nobody_is_forgotten_nothing_is_copied(room: Room):
    fact = ReactionFact(channel=CHANNEL, ts=TS, user=TOMAS, name="eyes", changed_ts=TS, held=True)

    assert let_in(room, fact) is fact


def test_a_person_has_one_pseudonym_and_their_id_is_not_kept_for_it(room: Room):
    first, second, other = forget(room), forget(room), forget(room, MARA)

    marks = room.ask(lambda db: db.scalars(select(ErasedPerson.mark)).all())
    assert first == second != other
    assert all(map(is_pseudonym, (first, other)))
    assert len(marks) == 2
    assert "erased_people.mark" not in rows_with(room.storage.engine, TOMAS, MARA)


def test_a_process_hears_of_somebody_whom_another_one_forgot_when_it_looks_again(room: Room):
    fact = MembershipFact(channel=CHANNEL, user=TOMAS, how="joined", at=room.now - timedelta(days=1))
    let_in(room, fact)
    room.change(lambda db: pseudonyms.give(db, TEAM, TOMAS, now=room.now))

    before = let_in(room, fact)
    room.change(lambda db: room.storage.forgotten.refresh(db, TEAM))

    assert before == fact
    assert let_in(room, fact) != fact
