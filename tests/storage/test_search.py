from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import literal
from sqlalchemy.orm import Session

from bot.review.impact import Impact
from bot.review.incident import ChannelId, UserId
from bot.review.timeline import Kind
from storage import incidents, reviews, search, timeline
from storage.models import Action, EventComment, Finding, Incident, Membership, Message, TimelineEvent
from tests.cast import MARA, OUTSIDER, TEAM, TOMAS, Room, a_message, a_room, an_incident

SECRET_CHANNEL = ChannelId("C0SECRET")


@pytest.fixture
def room(database_url: str, tmp_path: Path) -> Iterator[Room]:
    room = a_room(tmp_path, database_url)
    yield room
    room.storage.close()


def found(room: Room, words: str, *, by: str = MARA) -> list[tuple[str, str]]:
    return [(hit.sort, hit.text) for hit in room.ask(search.find, TEAM, by, words).hits]


def test_words_are_found_wherever_they_stand(room: Room):
    incident = an_incident(room, title="Disk full on db1")
    a_message(room, "the DISK is at 100%", by=TOMAS)
    room.change(lambda db: db.add_all(everywhere(room, incident)))

    assert found(room, "disk") == [
        ("title", "Disk full on db1"),
        ("finding", "nobody watched the disk"),
        ("action", "alert at 80 % of the disk"),
        ("event", "disk alert fired"),
        ("message", "the DISK is at 100%"),
    ]


def everywhere(room: Room, incident: int) -> list[Finding | Action | TimelineEvent]:
    return [
        Finding(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            kind="contributor",
            text="nobody watched the disk",
            by=MARA,
            at=room.now,
        ),
        Action(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            text="alert at 80 % of the disk",
            owner=MARA,
            proposed_at=room.now,
        ),
        TimelineEvent(
            team_id=TEAM,
            incident_id=incident,
            number=1,
            kind="detection",
            occurred_at=room.now,
            recorded_at=room.now,
            text="disk alert fired",
            source="typed",
        ),
    ]


@pytest.mark.parametrize("words", ["%", "_", "100%", "\\"])
def test_a_wildcard_that_was_typed_means_itself(room: Room, words: str):
    an_incident(room)
    a_message(room, "nothing to see")
    room.pass_time(seconds=1)
    a_message(room, "100% of a_b\\c")

    assert found(room, words) == [("message", "100% of a_b\\c")]


@pytest.mark.parametrize("words", ["ärger", "ÄRGER", "Ärger mit dem straßen", "ΣΦΆΛΜΑ"])
def test_words_of_any_alphabet_are_found_whatever_their_case(room: Room, words: str):
    an_incident(room)
    text = "ÄRGER mit dem Straßenpool, σφάλμα"
    a_message(room, text)

    assert found(room, words) == [("message", text)]


def test_what_was_deleted_or_dropped_is_not_found(room: Room):
    incident = an_incident(room, title="Slow")
    a_message(room, "disk")
    room.change(lambda db: db.add_all(everywhere(room, incident)))
    assert len(found(room, "disk")) == 4

    room.change(lambda db: [setattr(row, "deleted_at", room.now) for row in db.query(Message)])
    room.change(lambda db: [setattr(row, "dropped_at", room.now) for row in db.query(Finding)])
    room.change(lambda db: [setattr(row, "untagged_at", room.now) for row in db.query(TimelineEvent)])
    room.change(lambda db: [setattr(row, "withdrawn_at", room.now) for row in db.query(Action)])

    assert found(room, "disk") == []


def test_a_private_incident_is_found_by_its_members_alone(room: Room):
    incident = an_incident(room, title="Disk", channel=SECRET_CHANNEL, private=room.now)
    a_message(room, "disk", channel=SECRET_CHANNEL)
    room.change(lambda db: db.add_all(everywhere(room, incident)))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET_CHANNEL, user_id=MARA)))

    assert len(found(room, "disk", by=MARA)) == 5
    assert found(room, "disk", by=OUTSIDER) == []


def test_what_another_workspace_has_is_found_by_nobody_here(room: Room):
    incident = an_incident(room, title="Disk")
    a_message(room, "disk")
    room.change(lambda db: db.add_all(everywhere(room, incident)))
    before = len(found(room, "disk"))

    room.change(lambda db: setattr(incidents.get(db, incident), "team_id", "T0OTHER"))

    assert (before, found(room, "disk")) == (5, [])


def test_ten_are_shown_at_a_time_and_each_message_once(room: Room):
    an_incident(room)
    an_incident(room, channel=ChannelId("C0OTHER"))
    for _ in range(12):
        room.pass_time(seconds=1)
        a_message(room, "disk")

    pages = [room.ask(lambda db, page=page: search.find(db, TEAM, MARA, "disk", page=page)) for page in (1, 2, 3)]

    assert [len(page.hits) for page in pages] == [10, 2, 0]
    assert [page.is_last for page in pages] == [False, True, True]
    assert len({hit.permalink for page in pages for hit in page.hits}) == 12


def test_what_was_said_before_the_incident_belongs_to_nobody(room: Room):
    a_message(room, "disk", at=room.now - timedelta(days=2))
    an_incident(room)

    assert found(room, "disk") == []


def test_a_message_is_found_by_all_of_its_words_the_last_one_perhaps_only_begun(room: Room):
    an_incident(room)
    a_message(room, "rolled back node-42 of payments_db, see /var/log/checkout.err")

    assert found(room, "checkout node")
    assert found(room, "err") == found(room, "checkout node")
    assert found(room, "node 42 payments rolled b")
    assert found(room, "node 43") == []


def test_a_message_that_was_reworded_is_found_by_its_new_words_alone(room: Room):
    an_incident(room)
    a_message(room, "the replica lags")

    room.change(lambda db: [setattr(row, "plain", "the primary is slow") for row in db.query(Message)])

    assert found(room, "replica") == []
    assert found(room, "primary slow")


def test_words_that_were_erased_leave_the_index_file_as_well(tmp_path: Path):
    room = a_room(tmp_path)
    an_incident(room)
    a_message(room, "the canary sang")
    room.change(lambda db: [setattr(row, field, "") for row in db.query(Message) for field in ("text", "plain")])

    step = 0
    while room.change(lambda db: search.sweep_step(db, step)):  # noqa: B023
        step += 1
    room.storage.close()

    assert b"canary" not in (tmp_path / "debrief.db").read_bytes()


# One list of all sorts -----------------------------------------------------------------------


def write(room: Room, incident: int, **facts: Any) -> None:
    """Change columns of an incident."""
    room.change(lambda db: [setattr(incidents.get(db, incident), name, value) for name, value in facts.items()])


def test_summary_impact_and_draft_are_found(room: Room):
    incident = an_incident(room, title="Slow")
    impact = Impact(customers="buyers in Zürich", regions=("eu-west-1",), inquiries=120)
    write(room, incident, summary="The canary died.", impact=impact.to_json())
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "draft", "# Slow\n\nThe owl stayed\\."))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "drafted_at", room.now))

    assert found(room, "canary") == [("summary", "The canary died.")]
    assert found(room, "zurich eu-west-1 120") == [("impact", "buyers in Zürich · eu-west-1 · 120")]
    assert found(room, "customers") == []
    assert found(room, "owl stayed") == [("report", "# Slow The owl stayed.")]


def test_a_report_is_listed_only_for_what_stands_nowhere_else_in_its_review(room: Room):
    incident = an_incident(room, title="Slow")
    write(room, incident, summary="The canary died.")
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "draft", "The canary died."))
    room.change(lambda db: setattr(reviews.of(db, incidents.get(db, incident)), "drafted_at", room.now))

    assert found(room, "canary") == [("summary", "The canary died.")]


def test_a_message_on_the_timeline_is_listed_once(room: Room):
    incident = an_incident(room)
    ts = a_message(room, "disk full on db1")
    event = tag(room, incident, ts)
    before = found(room, "disk")
    room.change(lambda db: setattr(db.get_one(TimelineEvent, event), "text", "the disk of db1 is full"))
    room.change(lambda db: db.add(EventComment(team_id=TEAM, event_id=event, text="disk!", by=MARA, at=room.now)))

    assert before == [("message", "disk full on db1")]
    assert len(found(room, "disk")) == 1
    assert found(room, "of db1 is") == [("event", "the disk of db1 is full")]


def tag(room: Room, incident: int, ts: str) -> int:
    def put(db: Session) -> int:
        message = db.query(Message).filter_by(ts=ts).one()
        its = incidents.get(db, incident)
        return timeline.add(db, its, Kind.note, room.now, by=MARA, source="message", now=room.now, message=message).id

    return room.change(put)


def test_what_tells_more_comes_first_and_of_the_same_the_newest(room: Room):
    an_incident(room, title="Pool exhausted")
    for text in ("pool", "a pool of words " + "that go on and on " * 12, "the pool, the pool, the pool"):
        room.pass_time(seconds=1)
        a_message(room, text)
    room.pass_time(days=400)
    a_message(room, "the pool, the pool, the pool.")

    sorts = found(room, "pool")

    assert [text for _, text in sorts][:3] == [
        "Pool exhausted",
        "the pool, the pool, the pool.",
        "the pool, the pool, the pool",
    ]
    assert sorts[-1][1].startswith("a pool of words")


def test_the_snippet_shows_what_was_found_and_marks_it(room: Room):
    an_incident(room)
    a_message(room, "so it goes " * 40 + "the pool of connections was exhausted " + "and on and on " * 40)

    (hit,) = room.ask(search.find, TEAM, MARA, "exhausted pool").hits

    assert [part.words for part in hit.snippet if part.is_found] == ["pool", "exhausted"]
    assert hit.text.startswith("… ")
    assert hit.text.endswith(" …")
    assert len(hit.text) < 220


# The same on both databases ----------------------------------------------------------------------

CORPUS = (
    "Müller meldet: Zürich ist langsam",
    "mueller says all is well in zurich",
    "ERROR 1205 (HY000): Lock wait timeout exceeded",
    "see /var/log/checkout.err on db-prod-1.eu.example.com:5432",
    "rolled back payments_db to v2.41.0-rc1, e4f1a2b",
    "café CAFÉ cafe\u0301",
    "Ошибка соединения с базой",
    "σφάλμα σύνδεσης",
    "İstanbul and Łódź and Ærø and ẞ",
    "接続エラーが発生しました",
    "pool pool pool exhausted exhausted",
    "exhausted the pool of connections",
    "“quoted” — and … done",
    "🔥🔥 disk 🔥",
    "naïve façade coöperate piñata",
    "100% of a_b\\c",
    "user <@U0MARA> said id=req_8f3a-77",
    "2026-11-18T14:05:33Z p99=2400ms",
    "x" * 300 + " end",
    "Kubernetes OOMKilled exit code 137",
)
ANSWERS = {
    "zürich": {0, 1},
    "MULLER": {0},
    '"lock wait"': {2},
    '"wait lock"': set[int](),
    "wait lock": {2},
    "1205": {2},
    "/var/log/checkout.err": {3},
    "checkout.log": set[int](),
    "db-prod-1": {3},
    "prod-db": set[int](),
    "example.com:5432": {3},
    "payments_db": {4},
    "v2.41.0-rc1": {4},
    "e4f1a2b": {4},
    "cafe": {5},
    "CAFÉ": {5},
    "ошибка": {6},
    "ОШИБКА базой": {6},
    "ΣΦΆΛΜΑ": {7},
    "istanbul": {8},
    "łódź": {8},
    "ærø": {8},
    "エラー": {9},
    '"pool exhausted"': {10},
    "pool exhausted": {10, 11},
    "“quoted”": {12},
    "quoted done": {12},
    "🔥": {13},
    "🔥 disk": {13},
    "naive facade": {14},
    "pinata": {14},
    "%": {15},
    "a_b": {15},
    "<@U0MARA>": {16},
    "req_8f3a-77": {16},
    "2026-11-18T14:05": {17},
    "2400ms": {17},
    "end": {18},
    "oomkilled 137": {19},
    "oomk": {19},
    '"oomk"': set[int](),
    "137 exit": {19},
    "NEAR(pool, 2)": set[int](),
    "pool AND exhausted": set[int](),
    "disk OR": set[int](),
    'plain:disk" *': set[int](),
    "!!! ???": set[int](),
}


@pytest.mark.parametrize("words", ANSWERS)
def test_both_databases_answer_the_same(corpus: Room, words: str):
    hits = corpus.ask(search.find, TEAM, MARA, words).hits

    assert {int((hit.at or corpus.now).timestamp()) % 100 for hit in hits} == ANSWERS[words]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    if request.param == "sqlite":
        room = a_room(tmp_path_factory.mktemp("corpus"))
    else:
        server = request.getfixturevalue("postgresql_server")
        room = a_room(Path(), server.create(template=request.getfixturevalue("migrated_postgresql").template))
    room.now = datetime.fromtimestamp(1_763_474_400, UTC)
    an_incident(room)
    for number, text in enumerate(CORPUS):
        a_message(room, text, at=room.now + timedelta(seconds=number))
    yield room
    room.storage.close()


# Nothing is lost to what is private ------------------------------------------------------------------

PRIVATE_HITS = 3_000


def crowded(room: Room) -> None:
    """Twelve messages that everybody may see, and later thousands in a private channel with the same word."""
    an_incident(room)
    for number in range(12):
        a_message(room, f"disk {number}", at=room.now + timedelta(seconds=number))
    room.pass_time(days=1)
    an_incident(room, channel=SECRET_CHANNEL, title="Disk", private=room.now)
    said = [
        Message(team_id=TEAM, channel_id=SECRET_CHANNEL, ts=f"{at.timestamp():.6f}", posted_at=at, plain="disk")
        for at in (room.now + timedelta(seconds=number) for number in range(PRIVATE_HITS))
    ]
    room.change(lambda db: db.add_all(said))
    room.change(lambda db: db.add(Membership(team_id=TEAM, channel_id=SECRET_CHANNEL, user_id=TOMAS)))


def test_thousands_of_private_places_push_out_none_that_a_person_may_see(room: Room):
    crowded(room)

    outsider = [room.ask(lambda db, p=p: search.find(db, TEAM, MARA, "disk", page=p)) for p in (1, 2)]
    insider = room.ask(search.find, TEAM, TOMAS, "disk")

    assert sorted(hit.text for page in outsider for hit in page.hits) == sorted(f"disk {n}" for n in range(12))
    assert {hit.title for hit in insider.hits} == {"Disk"}


def test_left_out_only_afterwards_they_would_push_them_out(room: Room, monkeypatch: pytest.MonkeyPatch):
    crowded(room)
    monkeypatch.setattr(search, "visible_to", lambda *_, **__: literal(value=True))
    search._looked_up.cache_clear()
    try:
        every = room.ask(lambda db: search.find(db, TEAM, MARA, "disk")).hits
    finally:
        search._looked_up.cache_clear()

    hidden = room.ask(lambda db: {row.id for row in db.query(Incident) if row.private_since})
    assert every
    assert [hit for hit in every if hit.incident not in hidden] == []


def test_what_the_bot_says_itself_is_no_second_place(room: Room):
    an_incident(room)
    a_message(room, "the disk is full")
    a_message(room, "Event 1: the disk is full", by=UserId("U0DEBRIEF"), at=room.now + timedelta(seconds=1))

    assert [text for _, text in found(room, "disk")] == ["the disk is full"]


def test_words_split_alike_wherever_they_are_kept(room: Room):
    """Tokens of letters and digits in any mixture, which PostgreSQL's own parser might read as numbers or versions."""
    an_incident(room)
    tokens = ["1e5", "2v", "v2", "0x1f", "12e", "e12", "1a2b3c", "007", "3d", "1205hy", "ab12cd34", "9" * 30, "éa1"]
    for number, token in enumerate(tokens):
        a_message(room, f"is {token} here", at=room.now + timedelta(seconds=number))

    assert [len(found(room, f'"is {token} here"')) for token in tokens] == [1] * len(tokens)
