"""Editing the report: each text where it belongs, in a form or in the Markdown."""

import json
import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from bot import formats, reporting, rewriting
from bot.listeners import blocks, report_forms
from bot.listeners.edge import Gesture
from bot.listeners.forms import FORMS, Memory, build
from bot.render import Rendered
from bot.review import refusal
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.incident import Place
from bot.review.naming import Naming
from storage import findings, incidents, reviews
from storage.models import Action, Change, Finding, Incident, MeetingNote, Review, TimelineEvent
from tests.cast import CHANNEL, HERE, MARA, NOVEMBER_18, OUTSIDER, PRIYA, TEAM, TOMAS, Room, an_incident, mitigated

LINES = "It was slow.\nBuyers waited.\nA rollback fixed it."


def fill(db, incident: int) -> None:
    row = incidents.get(db, incident)
    row.summary, row.impact = LINES, Impact(customers="many", text="They waited").to_json()
    found = {"kind": FindingKind.learning, "sort": "technical", "text": "<@U0PRIYA> knows the cache", "by": PRIYA}
    findings.add(db, row, **found, event=None, now=NOVEMBER_18)
    action = {"text": "alert on slow queries", "owner": TOMAS, "due": NOVEMBER_18.date(), "proposed_at": NOVEMBER_18}
    db.add(Action(team_id=TEAM, incident_id=incident, number=1, **action))
    meeting = reviews.add_meeting(db, reviews.of(db, row), minutes=60)
    meeting.opened_at, meeting.ended_at = NOVEMBER_18, NOVEMBER_18
    facts = {"team_id": TEAM, "incident_id": incident, "recorded_at": NOVEMBER_18, "occurred_at": NOVEMBER_18}
    db.add(TimelineEvent(number=1, kind="decision", source="typed", text="Rolled back", by=TOMAS, **facts))


def drafted(room: Room) -> int:
    incident = an_incident(room)
    mitigated(room, incident)
    room.change(lambda db: fill(db, incident))
    room.serve(reporting.draft, where=HERE, by=MARA)
    return incident


def edit(room: Room, texts: dict[str, str], seen: dict[str, str] | None = None) -> str:
    return room.serve(rewriting.rewrite, where=HERE, by=MARA, texts=texts, seen=seen or {})


def one(room: Room, column):
    return room.ask(lambda db: db.scalars(select(column)).one())


# In their places


def test_a_text_is_changed_where_it_belongs_and_every_format_tells_it(room: Room):
    incident = drafted(room)

    said = edit(
        room,
        {
            "summary": "A.\nB.\nC.",
            "impact": "Nobody could pay",
            "finding 1": "the cache hides a slow database",
            "action 1": "alert on queries over 2 s",
            "event 1": "Went back to v317",
            "went 1": "The walk took longer, and was worth it.",
        },
    )

    assert said.startswith(
        "Changed: the summary, the impact in words, finding 1, action 1, event 1, how meeting 1 went."
    )
    assert (one(room, Incident.summary), one(room, Finding.text)) == ("A.\nB.\nC.", "the cache hides a slow database")
    assert (one(room, Action.text), one(room, TimelineEvent.text)) == ("alert on queries over 2 s", "Went back to v317")
    assert one(room, MeetingNote.by) == MARA
    told = [room.ask(form, TEAM, incident) for form in (formats.markdown, formats.html)]
    for words in ("Nobody could pay", "the cache hides a slow database", "Went back to v317", "was worth it"):
        assert all(words in form for form in told)
    assert "Nobody could pay" in json.dumps(room.ask(formats.document, TEAM, incident))
    assert "Nobody could pay" in one(room, Review.draft)


def test_what_was_changed_stands_in_the_history(room: Room):
    drafted(room)

    edit(room, {"finding 1": "the cache hides it"})

    columns = (Change.what, Change.before, Change.after, Change.by)
    history = room.ask(lambda db: db.execute(select(*columns).where(Change.subject == "finding")).all())
    assert [tuple(row) for row in history] == [("text", "<@U0PRIYA> knows the cache", "the cache hides it", MARA)]


def test_who_was_mentioned_stays_mentioned(room: Room):
    drafted(room)

    edit(room, {"finding 1": "@Priya alone knows the cache"})

    assert one(room, Finding.text) == "<@U0PRIYA> alone knows the cache"


def test_secrets_are_left_out(room: Room):
    drafted(room)

    edit(room, {"finding 1": "the key was AKIA" + "Q3ZLMPXDWT7RBV5N all along"})

    assert "AKIA" not in one(room, Finding.text)


def test_an_edited_draft_needs_a_new_approval(room: Room):
    drafted(room)
    room.serve(reporting.approve, where=HERE, by=MARA)

    edit(room, {"impact": "They waited"})
    untouched = one(room, Review.approved_at)
    edit(room, {"impact": "Nobody could pay"})

    assert untouched is not None
    assert one(room, Review.approved_at) is None


def test_after_publishing_the_summary_in_the_channel_follows_when_it_is_published_again(room: Room):
    drafted(room)
    room.serve(reporting.publish, where=HERE, by=MARA)

    said = edit(room, {"summary": "A.\nB.\nC."})
    before = room.transcript(CHANNEL)[0]
    room.serve(reporting.publish, where=HERE, by=MARA)

    assert "Publishing again changes it there" in said
    assert ("> A." in before, "> A." in room.transcript(CHANNEL)[0]) == (False, True)


@pytest.mark.parametrize("by", [TOMAS, OUTSIDER])
def test_only_its_owner_or_the_lead_edits_a_report(room: Room, by):
    drafted(room)

    for verb, what in ((rewriting.rewrite, {"texts": {}, "seen": {}}), (rewriting.offer, {})):
        with pytest.raises(refusal.NotYours):
            room.serve(verb, where=HERE, by=by, **what)


def test_before_the_draft_and_after_the_end_nothing_is_edited(room: Room):
    mitigated(room, an_incident(room))
    with pytest.raises(refusal.NotDrafted):
        edit(room, {})


# In the form


def shown(room: Room, part: str, incident: int) -> tuple[dict[str, str], Memory]:
    memory = Memory(form=f"report_{part}", incident=incident, channel=CHANNEL)
    view = room.desk.look(build, gesture=Gesture(MARA, Place(CHANNEL)), memory=memory)
    inputs = [block for block in view["blocks"] if block["type"] == "input"]
    words = {block["block_id"]: block["element"].get("initial_value", "") for block in inputs}
    return words, Memory.from_json(view["private_metadata"])


def send(room: Room, memory: Memory, answers: dict[str, str]) -> Rendered | None:
    given = {name: words for name, words in answers.items() if words}
    deed = FORMS[memory.form].deed(given, memory)
    return room.answer(deed.ability, where=HERE, by=MARA, **deed.what)


def test_the_form_of_the_first_page_shows_the_three_sentences_and_keeps_what_is_changed(room: Room):
    incident = drafted(room)
    words, memory = shown(room, "page", incident)

    send(room, memory, words | {"text_1": "Nobody could pay.", "text_4": "It was worth the hour."})

    assert words == {
        "text_0": "It was slow.",
        "text_1": "Buyers waited.",
        "text_2": "A rollback fixed it.",
        "text_3": "They waited",
        "text_4": "",
    }
    assert one(room, Incident.summary) == "It was slow.\nNobody could pay.\nA rollback fixed it."
    assert one(room, MeetingNote.text) == "It was worth the hour."


def test_a_form_that_is_sent_as_it_was_changes_nothing(room: Room):
    incident = drafted(room)
    room.change(lambda db: setattr(incidents.get(db, incident), "summary", "It was slow. Many waited. It ended."))

    for part in rewriting.PARTS:
        words, memory = shown(room, part, incident)
        said = send(room, memory, words)
        assert said is not None
        assert said.text.startswith("Nothing was changed")

    assert one(room, Incident.summary) == "It was slow. Many waited. It ended."


def test_what_somebody_else_changed_meanwhile_is_not_written_over(room: Room):
    incident = drafted(room)
    words, memory = shown(room, "findings", incident)
    edit(room, {"finding 1": "theirs"})

    with pytest.raises(refusal.EditedMeanwhile, match="finding 1"):
        send(room, memory, words | {"text_0": "mine"})

    assert one(room, Finding.text) == "theirs"


def test_a_long_part_comes_in_pages(room: Room):
    incident = drafted(room)

    def find_more(db) -> None:
        for number in range(rewriting.PAGE):
            found = {"kind": FindingKind.risk, "sort": None, "text": f"risk {number}", "by": MARA}
            findings.add(db, incidents.get(db, incident), **found, event=None, now=NOVEMBER_18)

    room.change(find_more)
    pages = [
        room.desk.look(rewriting.sheet, where=HERE, by=MARA, part="findings", number=number) for number in (1, 2, 9)
    ]

    assert [(page.number, page.pages, len(page.texts)) for page in pages] == [(1, 2, 15), (2, 2, 1), (2, 2, 1)]
    answer = room.answer(rewriting.offer, where=HERE, by=MARA)
    assert answer is not None
    labels = [e["text"]["text"] for block in answer.blocks if block["type"] == "actions" for e in block["elements"]]
    assert labels == ["The first page", "Findings 1", "Findings 2", "Actions", "The timeline"]


def test_a_text_that_is_longer_than_a_field_is_not_cut(room: Room):
    incident = drafted(room)
    long = "word " * 700
    room.change(lambda db: setattr(findings.find(db, incident, 1), "text", long.strip()))

    words, memory = shown(room, "findings", incident)
    send(room, memory, words)

    assert words == {}
    assert one(room, Finding.text) == long.strip()
    assert len(long) > blocks.TEXT_LIMIT


def test_what_a_form_remembers_fits_into_it(room: Room):
    texts = tuple(rewriting.Text(f"finding {10**9 + number}", "words") for number in range(rewriting.PAGE))

    assert len(report_forms.remembered(rewriting.Sheet("findings", 1, 1, texts))) < 2_000


# In the Markdown


def take_in(room: Room, incident: int, markdown: str) -> list[tuple[str, str, str]]:
    changes: list[list[tuple[str, str, str]]] = []

    def serve(turn) -> tuple[()]:
        changes.append(rewriting.take_in(turn, incident_id=incident, markdown=markdown))
        return ()

    room.serve(serve)
    return changes[0]


@pytest.mark.parametrize("naming", Naming)
def test_what_was_changed_in_the_markdown_is_taken_in_and_told(room: Room, naming: Naming):
    incident = drafted(room)
    room.house = room.desk.house = replace(room.house, report_names=naming)
    markdown = room.ask(formats.markdown, TEAM, incident, room.house)
    edited = re.sub(r"(\*\*Learning 1.*)knows the cache", r"\1alone knows it", markdown)

    changes = take_in(room, incident, edited.replace("Buyers waited.", "Nobody could pay."))

    assert [what for what, *_ in changes] == ["finding 1", "the summary"]
    assert one(room, Finding.text) == "<@U0PRIYA> alone knows it"
    assert one(room, Incident.summary) == "It was slow.\nNobody could pay.\nA rollback fixed it."


def test_where_one_line_cannot_be_taken_in_nothing_is_changed(room: Room):
    incident = drafted(room)
    markdown = room.ask(formats.markdown, TEAM, incident)
    edited = markdown.replace("Buyers waited.", "Nobody could pay.").replace("## Risks", "## Hazards")

    with pytest.raises(refusal.CannotTakeIn) as refused:
        take_in(room, incident, edited)

    line = edited.splitlines().index("## Hazards") + 1
    assert f"- Line {line}: “## Hazards” is no text that I can take in here." in refused.value.sentence()
    assert one(room, Incident.summary) == LINES
