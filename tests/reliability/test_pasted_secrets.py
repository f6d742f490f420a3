"""What somebody pasted by mistake is on no disk: not in the database, not in its log, whatever way it came."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import archiving, formats, importing
from bot.keeper import Keeper
from bot.review import pasted, secrets
from bot.review.heard import read_message
from bot.review.history import Page, Why
from bot.sandbox.driver import words_of
from storage import incidents, messages
from storage.models import Message, MessageVersion
from tests.cast import CHANNEL, TEAM, TOMAS, Room, a_room, an_incident
from tests.reliability.town import CHANNEL as CHANNEL_THERE
from tests.reliability.town import LEAD, RESPONDER, Town, town

SECOND = int(datetime(2026, 11, 18, 14, 0, tzinfo=UTC).timestamp())
CANARY = "C4n4ry7Kx" * 4
"""What no file may hold; each token below has it in it."""
TOKEN = "ghp" + "_" + CANARY
WORDS = "[secret removed: GitHub token]"


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


def a_message(text: str, second: int = 1, **more: Any) -> dict[str, Any]:
    ts = f"{SECOND + second}.000100"
    return {"type": "message", "user": TOMAS, "text": text, "ts": ts, "event_ts": ts} | more


def rich(text: str) -> list[Any]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return [{"type": "rich_text", "elements": [section, {**section, "type": "rich_text_preformatted"}]}]


def a_file(name: str) -> dict[str, Any]:
    address = f"https://files.slack.com/files-pri/T1-F1/{name}"
    return {"id": "F1", "name": name, "title": name, "mimetype": "text/plain", "size": 3, "url_private": address}


PASTED = {
    "text": a_message(f"use {TOKEN}"),
    "code": a_message(f"```curl -H 'Authorization: Bearer {CANARY}'```"),
    "a link": a_message(f"<https://ops:{CANARY}@git.example.com/x|the repository>"),
    "blocks": a_message(f"use {TOKEN}", blocks=rich(f"use {TOKEN}")),
    "blocks alone": a_message("", blocks=rich(f"use {TOKEN}")),
    "an attachment": a_message("", attachments=[{"fallback": TOKEN, "fields": [{"title": "key", "value": TOKEN}]}]),
    "an attachment's author": a_message("", attachments=[{"author_name": TOKEN, "text": "alert"}]),
    "a file's name": a_message("the log", files=[a_file(f"{TOKEN}.txt")]),
    "a program's name": a_message("down", bot_id="B1", username=TOKEN),
    "letters that no disk takes": a_message(f"use {TOKEN[:9]}\0{TOKEN[9:]}"),
}


def on_disk(room: Room) -> bytes:
    folder = Path(str(room.storage.engine.url.database)).parent
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def kept(room: Room) -> Any:
    columns = (Message.text, Message.blocks, Message.redactions, Message.hidden)
    return room.ask(lambda db: list(db.execute(select(*columns).order_by(Message.ts))))


@pytest.mark.parametrize("where", PASTED)
async def test_a_secret_in_a_message_never_reaches_the_disk(room: Room, keeper: Keeper, where: str):
    an_incident(room)

    await keeper.keep(delivery(channel=CHANNEL, **PASTED[where]))

    (message,) = kept(room)
    assert message.hidden
    assert CANARY.encode() not in on_disk(room)


@pytest.mark.parametrize("where", PASTED)
async def test_nor_does_one_in_the_history_of_a_channel(room: Room, where: str):
    incident = an_incident(room)
    source = room.ask(lambda db: incidents.sources(db, incident)[0].id)
    room.serve(archiving.begin_reading, source_id=source, why=Why.opening)
    wanted = room.desk.look(archiving.wanted, source_id=source)

    page = Page(channel=CHANNEL, messages=(PASTED[where],), asked_at=room.now)
    room.serve(archiving.take_in, page=page, wanted=wanted)

    assert CANARY.encode() not in on_disk(room)


@pytest.mark.parametrize("where", PASTED)
def test_nor_does_one_in_an_export(room: Room, where: str):
    channel = {"id": CHANNEL, "name": "inc-checkout", "private": False, "created": None, "members": (TOMAS,)}

    room.serve(importing.import_export, channel=channel, persons=[], messages=[PASTED[where]])

    assert len(kept(room)) == 1
    assert CANARY.encode() not in on_disk(room)


@pytest.mark.parametrize("where", PASTED)
async def test_without_the_search_it_would_lie_there(
    room: Room, keeper: Keeper, where: str, monkeypatch: pytest.MonkeyPatch
):
    an_incident(room)
    for searching in (secrets, pasted):
        monkeypatch.setattr(searching, "find", lambda _: [])

    await keeper.keep(delivery(channel=CHANNEL, **PASTED[where]))

    assert CANARY.encode() in on_disk(room)


async def test_in_whatever_order_the_wordings_come_the_same_is_kept(room: Room):
    an_incident(room)
    wordings = [
        a_message(f"first {TOKEN}"),
        a_message(f"then postgres://app:{CANARY}@db-1/x", edited={"ts": f"{SECOND + 5}.000000", "user": TOMAS}),
        a_message("then none", edited={"ts": f"{SECOND + 6}.000000", "user": TOMAS}),
    ]
    ends: list[Any] = []
    for number, order in enumerate(permutations(wordings)):
        facts = [read_message(one | {"ts": f"{SECOND - number}.000100"}, CHANNEL) for one in order]
        for fact in filter(None, facts):
            room.change(lambda db, fact=fact: messages.keep(db, TEAM, fact))
        ends.append((*kept(room)[0], *versions(room)))

    assert len(ends) == 6
    assert all(end[1:] == ends[0][1:] for end in ends)
    assert ends[0][3] == "GitHub token, password"


def versions(room: Room) -> list[Any]:
    """The earlier wordings of the message that was kept last."""
    columns = (MessageVersion.edited_ts, MessageVersion.text, MessageVersion.redactions)
    newest = select(func.max(MessageVersion.message_id)).scalar_subquery()
    found = select(*columns).where(MessageVersion.message_id == newest).order_by(MessageVersion.edited_ts)
    return room.ask(lambda db: [tuple(row) for row in db.execute(found)])


async def test_an_edit_may_bring_a_secret_or_take_it_away(room: Room, keeper: Keeper):
    an_incident(room)
    first = a_message(f"old {TOKEN}")
    edit = {"ts": f"{SECOND + 5}.000000", "user": TOMAS}
    second = a_message(f"new one is {TOKEN}x", edited=edit)

    await keeper.keep(delivery(channel=CHANNEL, **first))
    change = {"message": second, "previous_message": first, "ts": edit["ts"], "event_ts": edit["ts"]}
    await keeper.keep(delivery(type="message", subtype="message_changed", channel=CHANNEL, hidden=True, **change))

    (message,) = kept(room)
    (version,) = room.ask(lambda db: list(db.execute(select(MessageVersion.text, MessageVersion.redactions))))
    assert message.text == f"new one is {WORDS}"
    assert message.redactions == [{"kind": "GitHub token", "offset": 11, "length": len(WORDS)}]
    assert version.text == f"old {WORDS}"
    assert version.redactions == [{"kind": "GitHub token", "offset": 4, "length": len(WORDS)}]
    assert CANARY.encode() not in on_disk(room)


async def test_a_deletion_takes_along_what_was_noted_of_a_secret(room: Room, keeper: Keeper):
    an_incident(room)
    posted = a_message(TOKEN)

    await keeper.keep(delivery(channel=CHANNEL, **posted))
    gone = {
        "deleted_ts": posted["ts"],
        "previous_message": posted,
        "ts": f"{SECOND + 9}.0",
        "event_ts": f"{SECOND + 9}.0",
    }
    await keeper.keep(delivery(type="message", subtype="message_deleted", channel=CHANNEL, **gone))

    (message,) = kept(room)
    assert (message.text, message.redactions, message.hidden) == ("", None, None)


async def test_what_looks_dangerous_and_is_not_stays_as_it_is(room: Room, keeper: Keeper):
    an_incident(room)
    text = "password reset is broken since 4f2a9c1, see postgres://checkout@db-1/orders and $DB_PASSWORD"

    await keeper.keep(delivery(channel=CHANNEL, **a_message(text, blocks=rich(text), files=[a_file("password.txt")])))

    (message,) = kept(room)
    assert (message.text, message.blocks, message.redactions, message.hidden) == (text, rich(text), None, None)


def test_a_file_whose_name_held_a_secret_keeps_no_address():
    fact = read_message(a_message("", files=[a_file(f"{TOKEN}.txt")]), CHANNEL)

    assert fact is not None
    assert [(file.name, file.url) for file in fact.files] == [(f"{WORDS}.txt", None)]
    assert CANARY not in json.dumps(str(fact))


async def test_the_export_says_what_was_removed_and_where(room: Room, keeper: Keeper):
    incident = an_incident(room)

    await keeper.keep(delivery(channel=CHANNEL, **PASTED["text"]))

    (message,) = room.ask(formats.document, TEAM, incident)["messages"]
    (redaction,) = message["redactions"]
    assert redaction == {"kind": "GitHub token", "offset": 4, "length": len(WORDS)}
    assert message["text"][redaction["offset"] :] == WORDS


def test_beside_the_unmodified_bot_a_secret_is_nowhere_and_its_author_knows(tmp_path: Path):
    with town(tmp_path) as here:
        ts = here.driver.say(RESPONDER, CHANNEL_THERE, f"restart it with {TOKEN}")
        other = f"or with postgres://app:{CANARY}@db-1/orders"
        here.driver.do("edit", user=RESPONDER, channel=CHANNEL_THERE, ts=ts, text=other)
        here.driver.do("upload", user=RESPONDER, channel=CHANNEL_THERE, name=f"{TOKEN}.txt", content="x")
        answer = here.types(LEAD, f"event 13:10 it began with {TOKEN}")
        here.driver.wait_for(lambda: "secret" in told(here, RESPONDER), "the word to whoever pasted it")
        here.settles()

        assert "I left it out" in answer
        assert "It still stands in Slack" in told(here, RESPONDER)
        assert "It still stands in Slack" not in told(here, LEAD)
        assert here.violations() == []
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(CANARY.encode() in content for content in files)


def told(here: Town, user: str) -> str:
    """All that somebody reads in the channel, whispers too."""
    return "\n".join(words_of(message) for message in here.driver.messages(CHANNEL_THERE, user))
