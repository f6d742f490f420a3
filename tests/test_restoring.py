"""Restoring: the JSON of a review, taken in elsewhere, gives the same bytes again; what cannot be restored is left."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import facilitating, following_up, formats, noting, office, reminding, reporting, tagging, tracking
from bot.restoring import NotRestorable
from bot.review.findings import FindingKind
from bot.review.follow_up import ActionWords
from bot.review.heard import ReactionFact, read_message
from bot.review.impact import Impact
from bot.review.incident import ChannelId, MomentName
from bot.review.timeline import Outcome
from bot.settings import Settings
from storage import messages, pseudonyms, reactions
from storage.models import Base, Membership, Person
from storage.session import Storage
from tests.cast import CHANNEL, HERE, MARA, PRIYA, TEAM, TOMAS, Room, a_room, an_incident

TOLD = "1795010500.000200"


@pytest.fixture
def room(tmp_path: Path, database_url: str) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is exported of a review with something of everything."""
    room = a_room(tmp_path_factory.mktemp("before"))
    written_down = exported(room, a_review(room))
    room.storage.close()
    return written_down


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Room]:
    """A database in which nothing is yet; it knows of no workspace, either."""
    with office.opened(another(tmp_path)) as storage:
        yield Room(storage)


def a_database(url: str, folder: Path) -> Settings:
    return Settings.model_validate({"DEBRIEF_DATABASE_URL": url, "DEBRIEF_DATA_DIR": folder})


def another(folder: Path) -> Settings:
    return a_database(f"sqlite:///{folder / 'elsewhere.db'}", folder)


def said(room: Room) -> None:
    """What a channel holds: words that were edited, a program's, a thread's, deleted ones, a file, a secret, emoji."""
    author = {"type": "message", "user": TOMAS}
    kept = [
        author | {"ts": TOLD, "text": "Checkout answers 503"},
        author | {"ts": TOLD, "text": "Checkout answers 502", "edited": {"ts": "1795010510.000000"}},
        {"type": "message", "bot_id": "B0ALERTS", "ts": "1795010520.000000", "text": "FIRING: latency"},
        {"type": "message", "username": "deploys", "bot_id": "B0DEPLOYS", "ts": "1795010521.000000", "text": "v41"},
        author | {"ts": "1795010530.000000", "thread_ts": TOLD, "text": "password: hunter2-Xk3vQ9zzT81 😀 é"},
        author | {"ts": "1795010540.000000", "text": "look", "files": [{"id": "F1", "name": "a.png", "size": 12}]},
        author | {"ts": "1795010550.000000", "text": "never mind"},
        {"type": "message", "subtype": "tombstone", "ts": "1795010550.000000", "text": "", "user": "USLACKBOT"},
    ]
    facts = [fact for fact in (read_message(one, CHANNEL) for one in kept) if fact]
    room.change(lambda db: messages.keep(db, TEAM, *facts))
    emoji = [
        ReactionFact(channel=CHANNEL, ts=TOLD, user=user, name=name, changed_ts=TOLD, held=True)
        for user, name in ((TOMAS, "eyes"), (MARA, "eyes"), (MARA, "from"))
    ]
    room.change(lambda db: reactions.keep(db, TEAM, *emoji))


def a_review(room: Room) -> int:
    """One that was held, with something of everything."""
    incident = an_incident(room)
    said(room)
    here: dict[str, Any] = {"where": HERE, "by": MARA}
    for name in (MomentName.began, MomentName.mitigated):
        room.pass_time(minutes=20)
        room.serve(tracking.set_moment, **here, name=name, when=None)
    room.serve(tracking.set_summary, **here, text="It was slow.\nBuyers waited.\nA rollback fixed it.")
    room.serve(tracking.set_impact, **here, impact=Impact(customers="one in five", regions=("eu", "us"), inquiries=3))
    room.serve(tagging.tag_message, **here, channel=CHANNEL, ts=TOLD, kind="detection", when=None, text=None)
    for text in ("rolled back to 41", "this one goes", "all is well"):
        room.serve(tagging.add_event, **here, when=None, text=text)
    room.serve(tagging.comment_event, **here, number=2, text="after the second alert")
    room.serve(tagging.mark_outcome, **here, number=2, outcome=Outcome.helped)
    room.serve(facilitating.start, **here)
    room.serve(noting.note_finding, **here, kind=FindingKind.contributor, text="external: DNS failed", event=3)
    room.serve(noting.note_finding, **here, kind=FindingKind.question, text="what else hung on it?")
    room.serve(noting.park, **here, text="talk about the budget")
    room.serve(tagging.drop_event, **here, number=3)
    room.pass_time(minutes=50)
    room.serve(facilitating.end, **here)
    words = ActionWords(
        owner=PRIYA, text="write the runbook for DNS", due_words=None, horizon=None, answers=(1,), category="process"
    )
    room.serve(following_up.propose, **here, wording=words)
    room.serve(following_up.move, by=MARA, number=1, step="decline", text="DNS is gone next week")
    room.serve(reporting.draft, **here)
    room.serve(reporting.publish, **here)
    return incident


def exported(room: Room, incident: int) -> str:
    return room.ask(lambda db: "".join(formats.json_text(db, TEAM, incident)))


def written(folder: Path, document: str | Mapping[str, Any]) -> Path:
    file = folder / "review.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return file


def test_a_review_restored_elsewhere_gives_the_same_bytes(elsewhere: Room, tmp_path: Path, document: str):
    told = office.restore(another(tmp_path), written(tmp_path, document))

    assert exported(elsewhere, 1) == document
    assert told == "Incident 1, “Checkout is slow”, is here again, as it was exported."


@pytest.mark.postgres
def test_numbers_go_on_behind_those_of_a_restored_review(tmp_path: Path, empty_postgresql_url: str, document: str):
    office.restore(a_database(empty_postgresql_url, tmp_path), written(tmp_path, document))

    after = Room(Storage(empty_postgresql_url))
    again, follows = exported(after, 1), an_incident(after, channel=ChannelId("C0NEW"))
    after.storage.close()
    assert (again == document, follows) == (True, 2)


def test_what_was_restored_is_as_it_was_entered(elsewhere: Room, tmp_path: Path, document: str):
    office.restore(another(tmp_path), written(tmp_path, document))

    lines, as_it_was = office.verified(elsewhere.storage, "1")
    assert as_it_was, lines


def test_restoring_it_again_changes_nothing(elsewhere: Room, tmp_path: Path, document: str):
    settings, file = another(tmp_path), written(tmp_path, document)
    office.restore(settings, file)
    before = rows(elsewhere)

    told = office.restore(settings, file)

    assert (rows(elsewhere), told) == (before, "Incident 1, “Checkout is slow”, is here already. Nothing was changed.")


def rows(room: Room) -> dict[str, int]:
    tables = Base.metadata.sorted_tables
    return room.ask(lambda db: {t.name: db.scalars(select(func.count()).select_from(t)).one() for t in tables})


def test_nobody_is_told_anything_by_a_restored_review(elsewhere: Room, tmp_path: Path, document: str):
    office.restore(another(tmp_path), written(tmp_path, document))

    assert elsewhere.transcript() == []


def one_that_is_done(room: Room) -> str:
    """An exported review with an action of Tomas that was done today."""
    incident = an_incident(room)
    words = ActionWords(owner=TOMAS, text="write the runbook for DNS", due_words=None, horizon=None)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=words)
    room.serve(following_up.move, by=TOMAS, number=1, step="done", text="https://wiki.example/dns")
    return exported(room, incident)


@pytest.mark.parametrize(("after", "asked"), [(10, [30, 90]), (40, [90]), (100, [])])
def test_whether_an_old_action_worked_is_not_asked_because_it_was_restored(
    room: Room, elsewhere: Room, tmp_path: Path, after: int, asked: list[int]
):
    document = one_that_is_done(room)
    with time_machine.travel(room.now + timedelta(days=after), tick=False):
        office.restore(another(tmp_path), written(tmp_path, document))
    elsewhere.change(lambda db: db.add(Person(team_id=TEAM, user_id=TOMAS, name="Tomas", zone="Asia/Tokyo")))
    elsewhere.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=CHANNEL, user_id=TOMAS)))
    days: list[int] = []

    for day in (each for each in (10, 29, 30, 41, 90, 101, 120) if each >= after):
        elsewhere.now = (room.now + timedelta(days=day)).replace(hour=5)
        elsewhere.serve(reminding.remind_due)
        days += [day] * (len(elsewhere.transcript(TOMAS)) - len(days))

    assert days == asked


def test_whom_this_workspace_was_asked_to_forget_stays_forgotten(elsewhere: Room, tmp_path: Path, document: str):
    office.restore(another(tmp_path), written(tmp_path, an_empty_review(number=7)))
    name = elsewhere.change(lambda db: pseudonyms.give(db, TEAM, TOMAS, now=elsewhere.now))

    office.restore(another(tmp_path), written(tmp_path, document))

    assert exported(elsewhere, 1) == document.replace(TOMAS, name)


def test_a_pseudonym_moves_the_secrets_hidden_behind_it(room: Room, elsewhere: Room, tmp_path: Path):
    pasted = {"type": "message", "user": MARA, "ts": TOLD, "text": f"<@{TOMAS}> password: hunter2-Xk3vQ9zzT81"}
    incident = an_incident(room)
    facts = [fact for fact in [read_message(pasted, CHANNEL)] if fact]
    room.change(lambda db: messages.keep(db, TEAM, *facts))
    office.restore(another(tmp_path), written(tmp_path, an_empty_review(number=7)))
    elsewhere.change(lambda db: pseudonyms.give(db, TEAM, TOMAS, now=elsewhere.now))

    office.restore(another(tmp_path), written(tmp_path, exported(room, incident)))

    assert where_it_is_hidden(elsewhere) == where_it_is_hidden(room) != ""


def where_it_is_hidden(room: Room) -> str:
    text, hidden = room.ask(_text_and_redactions)
    return text[hidden[0]["offset"] : hidden[0]["offset"] + hidden[0]["length"]]


def _text_and_redactions(db: Session) -> tuple[str, list[Any]]:
    row = messages.find(db, TEAM, CHANNEL, TOLD)
    assert row is not None
    return row.text, row.redactions or []


def test_a_review_that_cannot_be_put_back_leaves_none_of_its_messages(room: Room, elsewhere: Room, tmp_path: Path):
    document = json.loads(exported(room, a_review(room)))
    document["review"]["stage"] = "closed"
    before = rows(elsewhere)

    with pytest.raises(NotRestorable, match="so nothing was changed"):
        office.restore(another(tmp_path), written(tmp_path, document))

    assert rows(elsewhere) == before | {"workspaces": 1}


def an_empty_review(number: int = 1) -> dict[str, Any]:
    return {
        "schema": 1,
        "incident": {
            "id": number,
            "team_id": TEAM,
            "title": "Checkout is slow",
            "severity": None,
            "lead": None,
            "private": False,
            "sources": [],
            "moments": {name.value: {"at": None, "by": None, "how": None} for name in MomentName},
            "durations": {"ttd_s": None, "tta_s": None, "ttm_s": None, "ttr_s": None},
            "impact": {},
            "summary": None,
        },
        "messages": [],
        "timeline": [],
        "review": {
            "stage": "open",
            "facilitator": None,
            "scribe": None,
            "owner": None,
            "meetings": [],
            "pre_read_sent_at": None,
            "drafted_at": None,
            "approved_at": None,
            "published_at": None,
            "closed_at": None,
            "cancelled_at": None,
            "reason": None,
        },
        "findings": [],
        "actions": [],
    }


def a_number_that_is_taken(document: dict[str, Any]) -> None:
    document["incident"]["title"] = "Something else"


def another_schema(document: dict[str, Any]) -> None:
    document["schema"] = 2


def no_time_at_all(document: dict[str, Any]) -> None:
    document["review"]["closed_at"] = "yesterday"


def a_key_too_many(document: dict[str, Any]) -> None:
    document["incident"] |= {"id": 2, "mood": "fine"}


def a_stage_that_its_moments_do_not_bear_out(document: dict[str, Any]) -> None:
    document["incident"]["id"] = 2
    document["review"]["stage"] = "published"


def half_a_letter(document: dict[str, Any]) -> None:
    document["incident"] |= {"id": 2, "title": "\ud83d"}


def a_number_beyond_all_numbers(document: dict[str, Any]) -> None:
    document["incident"]["id"] = 2**70


def a_list_where_an_object_belongs(document: dict[str, Any]) -> None:
    document["incident"] = []


def another_workspace(document: dict[str, Any]) -> None:
    document["incident"] |= {"id": 2, "team_id": "T0OTHER"}


def an_action_whose_number_is_taken(document: dict[str, Any]) -> None:
    document["incident"]["id"] = 2
    document["actions"] = [{"number": 1, "text": "feed the cat", "state": "proposed", "horizon": "quick"}]


def a_place_that_another_one_listens_to(document: dict[str, Any]) -> None:
    source = {"channel_id": CHANNEL, "channel_name": "inc", "thread_ts": None, "from": None, "to": None}
    document["incident"] |= {"id": 2, "sources": [source]}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (a_number_that_is_taken, "There is another incident 1 here."),
        (an_action_whose_number_is_taken, "There is another action 1 here."),
        (a_place_that_another_one_listens_to, "Another incident is being followed in #inc."),
        (another_schema, "This JSON is of schema 2, and this version reads 1."),
        (no_time_at_all, "“review.closed_at” in this JSON is not what"),
        (a_key_too_many, "“incident.mood” could not be put back as it was"),
        (a_stage_that_its_moments_do_not_bear_out, "“review.stage” could not be put back as it was"),
        (half_a_letter, "“incident.title” could not be put back as it was"),
        (a_number_beyond_all_numbers, "holds a value that the database cannot take"),
        (a_list_where_an_object_belongs, "“incident.id” in this JSON is not what"),
        (another_workspace, "This review is of another Slack workspace than this database."),
    ],
)
def test_what_cannot_be_restored_leaves_everything_as_it_was(
    room: Room, tmp_path: Path, spoil: Callable[[dict[str, Any]], None], why: str
):
    an_incident(room)
    room.serve(following_up.propose, where=HERE, by=MARA, wording=ActionWords(MARA, None, None, "feed the cat"))
    document, settings = an_empty_review(), a_database(url_of(room), tmp_path)
    spoil(document)
    before = rows(room)

    with pytest.raises(NotRestorable) as refused:
        office.restore(settings, written(tmp_path, document))

    assert (why in str(refused.value), rows(room)) == (True, before)


def url_of(room: Room) -> str:
    return room.storage.engine.url.render_as_string(hide_password=False)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"incident": 1}', "[" * 100_000])
def test_what_is_no_review_is_refused(tmp_path: Path, text: str):
    with pytest.raises(NotRestorable):
        office.restore(another(tmp_path), written(tmp_path, text))
