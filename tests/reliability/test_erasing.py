"""Erasing for good: no byte of the database, its log or its files says what was erased, whatever went wrong."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.review.heard import Content, FileFact, MessageFact, ReactionFact
from storage import incidents, messages, people, pseudonymising, reactions, verification
from storage.models import ErasedPerson, Message, Reaction
from storage.session import Storage
from storage.sweeping import Sweeper
from tests.canary import a_canary, rows_with
from tests.cast import CHANNEL, NOVEMBER_18, TEAM, Room, a_room, an_incident

SPOKEN: str = "the queue of the card processor is full and its workers wait for a lock that nobody gives back"
LENGTHS = (3, 12, 60, 300, 1_200)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path)
    yield room
    room.storage.close()


def words(rng: random.Random, canary: str) -> str:
    said: list[str] = rng.choices(SPOKEN.split(), k=rng.choice(LENGTHS))
    said.insert(rng.randrange(len(said)), canary)
    return " ".join(said)


def a_fact(rng: random.Random, second: int, canary: str, *, edited: int = 0) -> MessageFact:
    ts = f"{NOVEMBER_18.timestamp() + second:.6f}"
    text = words(rng, canary)
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text}}] if rng.random() < 0.5 else None
    at = f"{NOVEMBER_18.timestamp() + edited:.6f}" if edited else ""
    content = Content(edited_ts=at, text=text, blocks=blocks)
    files = (FileFact(file_id=f"F{second}", name=f"{canary}.png"),)
    return MessageFact(channel=CHANNEL, ts=ts, how="posted", user="U0TOMAS", content=content, files=files)


def a_conversation(room: Room, rng: random.Random, number: int) -> dict[int, str]:
    """Messages of all lengths, some of them edited to another one; the canary of each."""
    canaries = {second: a_canary() for second in range(number)}
    for second, canary in canaries.items():
        facts = [a_fact(rng, second, canary)]
        if second > 10 and rng.random() < 0.4:
            other = rng.randrange(second)
            facts.append(a_fact(rng, other, canaries[other], edited=number + second))
        for fact in facts:
            room.change(lambda db, fact=fact: messages.keep(db, TEAM, fact))
    return canaries


def delete_half(room: Room, rng: random.Random, canaries: dict[int, str]) -> list[str]:
    """In an order of its own; the canaries of what was deleted."""
    gone = rng.sample(sorted(canaries), len(canaries) // 2)
    for second in gone:
        ts = f"{NOVEMBER_18.timestamp() + second:.6f}"
        fact = MessageFact(channel=CHANNEL, ts=ts, how="deleted", deleted_at=room.now)
        room.change(lambda db, fact=fact: messages.keep(db, TEAM, fact))
    return [canaries[second] for second in gone]


def left(folder: Path, gone: list[str]) -> dict[str, int]:
    """How many of these words each file still says."""
    files = {path.name: path.read_bytes().lower() for path in folder.rglob("*") if path.is_file()}
    found = {name: sum(word.encode() in said for word in gone) for name, said in files.items()}
    return {name: number for name, number in found.items() if number}


NUMBERS = [pytest.param(120, id="quick"), pytest.param(6_000, id="long", marks=pytest.mark.torture)]


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("number", NUMBERS)
def test_no_byte_says_what_was_deleted(room: Room, tmp_path: Path, number: int):
    rng = random.Random(7)
    an_incident(room)
    gone = delete_half(room, rng, a_conversation(room, rng, number))

    swept = Sweeper(room.storage).sweep(room.now)

    assert swept
    assert left(tmp_path, gone) == {}


class LeavingTheFile(Sweeper):
    """Empties the log, and believes that SQLite overwrites whatever is deleted."""

    def _may_rewrite(self, now: datetime) -> bool:
        self._rewritten = 10**9
        return now.year == 1


def leaves_words(folder: Path, seed: int) -> bool:
    """Whether a conversation with rows of many sizes leaves a deleted word where SQLite moved a row away."""
    folder.mkdir()
    room, rng = a_room(folder), random.Random(seed)
    an_incident(room)
    gone = delete_half(room, rng, a_conversation(room, rng, 60))
    LeavingTheFile(room.storage).sweep(room.now)
    room.storage.close()
    return left(folder, gone) == {"debrief.db": 1}


@pytest.mark.torture
@pytest.mark.timeout(1_200)
def test_a_sweep_that_does_not_write_the_file_anew_leaves_words_in_it_now_and_then(tmp_path: Path):
    assert any(leaves_words(tmp_path / str(seed), seed) for seed in range(300))


def test_without_a_sweep_the_log_says_what_was_deleted(room: Room, tmp_path: Path):
    rng = random.Random(7)
    an_incident(room)

    gone = delete_half(room, rng, a_conversation(room, rng, 60))

    assert left(tmp_path, gone)["debrief.db-wal"] > 0


# People, while everything is killed ----------------------------------------------------------


def people_of(number: int) -> list[str]:
    return [f"U0P{index:03}" for index in range(number)]


def full_name(user: str) -> str:
    return f"Person {user.removeprefix('U0P')} of Nowhere"


def a_crowd(room: Room, users: list[str]) -> None:
    """Everybody writes, mentions and names the next one, and holds an emoji."""
    for second, (user, other) in enumerate(zip(users, [*users[1:], users[0]], strict=True)):
        ts = f"{NOVEMBER_18.timestamp() + second:.6f}"
        content = Content(text=f"<@{other}> see line {second}, {full_name(other)}")
        fact = MessageFact(channel=CHANNEL, ts=ts, how="posted", user=user, content=content)
        emoji = ReactionFact(channel=CHANNEL, ts=ts, user=other, name="eyes", changed_ts=ts, held=True)
        known = {
            "name": full_name(user),
            "zone": "UTC",
            "email": f"{user.lower()}@example.com",
            "bot": None,
            "gone": None,
        }
        room.change(lambda db, fact=fact: messages.keep(db, TEAM, fact))
        room.change(lambda db, emoji=emoji: reactions.keep(db, TEAM, emoji))
        room.change(lambda db, user=user, known=known: people.know(db, TEAM, user, **known, now=room.now))


def forget_all(storage: Storage, users: list[str], now: datetime) -> None:
    for user in users:
        with storage.read() as db:
            somebody = pseudonymising.known(db, TEAM, user)
        pseudonym = pseudonymising.begin(storage, somebody, now=now)
        for _ in pseudonymising.go_through(storage, somebody, pseudonym):
            pass
        pseudonymising.finish(storage, somebody, pseudonym, now=now)


@contextmanager
def in_a_process_of_its_own(url: str, users: list[str], now: datetime) -> Iterator[int]:
    child = os.fork()
    if child == 0:
        try:
            forget_all(Storage(url), users, now)
        finally:
            os._exit(0)
    try:
        yield child
    finally:
        os.waitpid(child, 0)


CROWDS = [pytest.param(8, 4, id="quick"), pytest.param(100, 20, id="long", marks=pytest.mark.torture)]


@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("number", "kills"), CROWDS)
def test_a_crowd_is_forgotten_whatever_is_killed_meanwhile(room: Room, tmp_path: Path, number: int, kills: int):
    dice, users, incident = random.Random(7), people_of(number), an_incident(room)
    a_crowd(room, users)
    before = counted(room)
    url = room.storage.engine.url.render_as_string(hide_password=False)
    room.storage.close()

    killed = [killed_in_it(url, users, room.now, after=dice.random() * number / 8) for _ in range(kills)]
    forget_all(room.storage, users, room.now)
    Sweeper(room.storage).sweep(room.now)

    everything = [*users, *map(full_name, users), "@example.com"]
    assert any(killed)
    assert rows_with(room.storage.engine, *everything) == []
    assert left(tmp_path, [word.lower() for word in everything]) == {}
    assert counted(room) == before
    assert room.ask(lambda db: db.scalars(select(func.count()).select_from(ErasedPerson)).one()) == number
    with room.storage.still() as db:
        assert verification.verify(db, incidents.get(db, incident), None).first == []


def killed_in_it(url: str, users: list[str], now: datetime, *, after: float) -> bool:
    """Whether it was still at work when it was killed."""
    with in_a_process_of_its_own(url, users, now) as child:
        time.sleep(after)
        is_over = os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        os.kill(child, signal.SIGKILL)
    return not is_over


def counted(room: Room) -> list[int]:
    def look(db: Session) -> list[int]:
        return [db.scalars(select(func.count()).select_from(table)).one() for table in (Message, Reaction)]

    return room.ask(look)


def test_a_crash_after_the_person_went_first_leaves_their_name_where_others_wrote_it(room: Room):
    """The twin: the person's own row goes before what names them, and the command that goes on knows no name."""
    an_incident(room)
    users = people_of(2)
    a_crowd(room, users)
    somebody = room.change(lambda db: pseudonymising.known(db, TEAM, users[0]))
    pseudonym = pseudonymising.begin(room.storage, somebody, now=room.now)
    pseudonymising.finish(room.storage, somebody, pseudonym, now=room.now)

    forget_all(room.storage, users[:1], room.now)

    assert "messages.plain" in rows_with(room.storage.engine, full_name(users[0]))


def test_what_a_running_bot_hears_meanwhile_is_found_when_it_is_gone_through_again(room: Room):
    """The bot is another process, which has not looked yet: what it keeps in between, the second round finds."""
    an_incident(room)
    users = people_of(2)
    a_crowd(room, users)
    bot = Storage(room.storage.engine.url.render_as_string(hide_password=False))
    with bot.read() as db:
        bot.forgotten.refresh(db, TEAM)
    somebody = room.change(lambda db: pseudonymising.known(db, TEAM, users[0]))
    pseudonym = pseudonymising.begin(room.storage, somebody, now=room.now)
    first = sum(pseudonymising.go_through(room.storage, somebody, pseudonym))

    with bot.keep() as db:
        messages.keep(db, TEAM, MessageFact(channel=CHANNEL, ts="1763474900.000100", how="posted", user=users[0]))
    bot.close()
    second = sum(pseudonymising.go_through(room.storage, somebody, pseudonym))

    assert first > 1
    assert second == 1
