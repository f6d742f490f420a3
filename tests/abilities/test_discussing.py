"""A review in threads: each topic has its question and a thread, and all of them one deadline."""

import contextlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import deciding, discussing, facilitating, leading_through, noting, reporting, scheduling, tracking
from bot.desk import House
from bot.review.findings import FindingKind
from bot.review.heard import MessageFact
from bot.review.incident import ChannelId, Severity
from bot.review.lifecycle import Stage
from bot.review.policy import Asked, Depth, Policy
from bot.review.quotes import DELETED
from bot.review.refusal import NoIncidentHere, NotMitigated, NotYours, Refused
from bot.review.when import read_when
from storage import attending, channels, incidents, messages, reviews
from storage.incidents import Where
from storage.models import Finding, Message, OutboxNote, Source
from tests.abilities.test_scheduling import three_continents
from tests.cast import (
    CHANNEL,
    HERE,
    HOW_TO_STOP,
    JONAS,
    MARA,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
    stage,
)
from tests.sitting import buttons, delivered, do, plain, said

FRIDAY = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
"""The deadline of threads that begin when the clock of these tests starts."""


@pytest.fixture
def incident(room: Room) -> int:
    """Mitigated an hour ago; Tomás and Priya wrote in it."""
    number = an_incident(room)
    room.change(lambda db: channels.know_members(db, TEAM, CHANNEL, [MARA, TOMAS, PRIYA], now=room.now))
    for minutes, user in ((70, TOMAS), (65, PRIYA)):
        a_message(room, "the pool is exhausted", by=user, at=room.now - timedelta(minutes=minutes))
    room.change(lambda db: listens_since(db, room.now - timedelta(hours=2)))
    mitigated(room, number, at=room.now - timedelta(hours=1))
    return number


def listens_since(db: Session, since: datetime) -> None:
    db.scalars(select(Source)).one().from_at = since


def begin(room: Room, **what: Any) -> str:
    return plain(do(room, discussing.begin, **what))


def begun(room: Room) -> None:
    begin(room)
    delivered(room)


def tick(room: Room) -> None:
    for ability in (discussing.propose_due, discussing.move_on, leading_through.remind_due):
        room.desk.serve_if_due(ability)
    delivered(room)


def overview(room: Room) -> str:
    return plain(said(room, "threads:")[-1].text)


def thread(room: Room, topic: str) -> OutboxNote:
    return next(note for note in reversed(said(room, "thread:")) if note.key.endswith(f":{topic}"))


def pressed(note: OutboxNote) -> list[str]:
    """The labels of what can be pressed on it."""
    return [one["text"]["text"] for block in note.blocks or [] for one in block.get("elements", []) if "value" in one]


def reply(room: Room, topic: str, *, by: str = PRIYA, words: str = "the retries had no limit") -> str:
    """Somebody says something in the thread of a topic; its ts."""
    root, ts = thread(room, topic).posted_ts, f"{room.now.timestamp():.6f}"

    def keep(db: Session) -> None:
        said = {"thread_ts": root, "posted_at": room.now, "user_id": by, "text": words, "plain": words}
        db.add(Message(team_id=TEAM, channel_id=CHANNEL, ts=ts, **said))

    room.change(keep)
    return ts


# Beginning -------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_each_topic_gets_a_question_and_all_of_them_one_deadline(room: Room):
    answer = begin(room)

    assert answer.startswith("The threads are there, and they stay open until Fri 20 Nov, 14:00 UTC.")
    assert [plain(words).split("\n")[0] for words in room.transcript(CHANNEL)[1:]] == [
        "*1 of 5 · Summary and impact*",
        "*2 of 5 · Timeline*",
        "*3 of 5 · Contributors and mitigators*",
        "*4 of 5 · Risks, learnings and open questions*",
        "*5 of 5 · Actions*",
    ]
    assert overview(room) == (
        "*The review of “Checkout is slow”* happens here, in threads, until *Fri 20 Nov, 14:00 UTC*. "
        "Nobody has to meet: each question below has a thread, and you answer where you know something, "
        "when it suits you.\n\n"
        "Asked to answer: <@U0MARA>, <@U0PRIYA>, <@U0TOMAS>. Everybody else may, too.\n\n"
        "1 · Summary and impact: nothing yet\n"
        "2 · Timeline: no events\n"
        "3 · Contributors and mitigators: nothing yet\n"
        "4 · Risks, learnings and open questions: nothing yet\n"
        "5 · Actions: none yet"
    )


@pytest.mark.usefixtures("incident")
def test_asked_for_again_it_says_until_when_it_goes_on_and_asks_nothing_twice(room: Room):
    begun(room)
    before = room.transcript()

    answer = begin(room)

    assert answer == "This review goes on in threads until Fri 20 Nov, 14:00 UTC."
    assert room.transcript() == before


def test_a_meeting_that_was_planned_is_off(room: Room, incident: int):
    room.change(lambda db: reviews.plan(db, incidents.get(db, incident), at=FRIDAY, by=MARA, now=room.now))

    begin(room)

    off = plain(room.transcript(CHANNEL)[-1])
    assert "on Fri 20 Nov, 14:00 UTC is off: the review happens in threads" in off
    assert off.endswith(f"This is for <@{MARA}>, <@{PRIYA}>, <@{TOMAS}>.")
    assert room.ask(lambda db: reviews.planned_meeting(db, reviews.of(db, incidents.get(db, incident)))) is None
    assert room.ask(lambda db: hours(db, incident)) == [(FRIDAY.isoformat(), None, MARA)]


def hours(db: Session, incident: int) -> list[tuple[str | None, str | None, str | None]]:
    """Each time that the hour of a meeting became another one: before, after, and by whom."""
    every = incidents.changes(db, incident, "meeting")
    return [(change.before, change.after, change.by) for change in every if change.what == deciding.HOUR]


def test_where_the_incident_is_a_thread_its_topics_stand_in_it_and_one_line_calls_them_to_mind(
    room: Room, incident: int
):
    def in_a_thread(db: Session) -> None:
        db.scalars(select(Source).where(Source.incident_id == incident)).one().thread_ts = "1763474400.000100"

    room.change(in_a_thread)
    room.serve(discussing.begin, where=Where(HERE.place, incident), by=MARA)
    delivered(room)
    room.pass_time(hours=24)

    tick(room)

    assert {note.thread_ts for note in said(room, "thread")} == {"1763474400.000100"}
    assert [note.thread_ts for note in said(room, "nudge-")] == ["1763474400.000100"]


@pytest.mark.usefixtures("incident")
def test_it_is_begun_by_those_who_answer_for_the_review(room: Room):
    with pytest.raises(NotYours):
        begin(room, by=TOMAS)


def test_a_private_incident_does_not_exist_for_others(room: Room):
    incident = an_incident(room, private=room.now)
    mitigated(room, incident)

    for ability in (discussing.begin, discussing.prolong, discussing.close, discussing.refresh):
        with pytest.raises(NoIncidentHere):
            do(room, ability, by=OUTSIDER)


def test_while_it_burns_nobody_is_asked(room: Room):
    an_incident(room)

    with pytest.raises(NotMitigated):
        begin(room)


@pytest.mark.usefixtures("incident")
def test_while_others_write_in_threads_nobody_is_led_through_alone(room: Room):
    begin(room)

    with pytest.raises(deciding.InThreadsAlready) as refused:
        do(room, leading_through.begin)

    assert refused.value.sentence() == (
        "The review goes on in threads already, and others write there. `/review schedule async close` ends it."
    )


@pytest.mark.usefixtures("incident")
def test_what_was_begun_alone_can_go_on_in_threads(room: Room):
    do(room, leading_through.begin)
    do(room, noting.note_finding, kind=FindingKind.contributor, text="a retry without a limit")

    begin(room)

    assert said(room, "light:")[-1].text == (
        "The review of “Checkout is slow” goes on in threads, in its channel. What you noted is kept and stands there."
    )
    assert "a retry without a limit" in thread(room, "contributors").text
    with pytest.raises(leading_through.NotUnderWay):
        do(room, leading_through.advance)


# Answers ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_what_is_noted_stands_under_its_question_and_in_the_overview(room: Room):
    begun(room)
    note = {"kind": FindingKind.mitigator, "text": "luck: half the pods fit the database"}
    do(room, noting.note_finding, by=PRIYA, **note)

    do(room, discussing.refresh, by=PRIYA)

    assert "1 · _mitigator_, luck · half the pods fit the database" in thread(room, "contributors").text
    assert "half the pods" not in thread(room, "learnings").text
    assert "3 · Contributors and mitigators: 1 noted" in overview(room)


@pytest.mark.usefixtures("incident")
def test_each_thread_has_the_buttons_of_its_question(room: Room):
    begun(room)

    assert {topic: pressed(thread(room, topic)) for topic in ("summary", "contributors", "learnings", "actions")} == {
        "summary": ["Write the summary", "Fill in the impact"],
        "contributors": ["Note a contributor", "Note a mitigator", "Keep from the replies"],
        "learnings": [
            "Note a risk",
            "Note a learning",
            "Ask a question",
            "I see it differently",
            "Keep from the replies",
        ],
        "actions": ["Propose an action"],
    }


@pytest.mark.usefixtures("incident")
def test_without_threads_there_is_nothing_to_show_prolong_or_close(room: Room):
    do(room, discussing.refresh)

    for ability in (discussing.prolong, discussing.close):
        with pytest.raises(discussing.NotInThreads):
            do(room, ability)
    assert room.transcript() == []


# Half time -------------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
def test_half_way_only_threads_without_a_word_are_called_to_mind_and_only_there(room: Room):
    begun(room)
    room.pass_time(hours=1)
    reply(room, "contributors")
    do(room, noting.note_finding, kind=FindingKind.risk, text="one person knows the failover")
    room.pass_time(hours=23)

    tick(room)

    nudges = said(room, "nudge-")
    assert [note.key.rsplit(":", 1)[1] for note in nudges] == ["summary", "timeline"]
    assert [note.thread_ts for note in nudges] == [thread(room, topic).posted_ts for topic in ("summary", "timeline")]
    assert plain(nudges[1].text) == (
        "Half of the time is over, and nobody has said anything here yet; one sentence is a start. "
        "The threads stay open until Fri 20 Nov, 14:00 UTC."
    )
    assert ["<@U0PRIYA>" in note.text for note in nudges] == [True, False]
    assert room.transcript(MARA) == room.transcript(PRIYA) == []


@pytest.mark.usefixtures("incident")
def test_it_is_said_once(room: Room):
    begun(room)
    room.pass_time(hours=24)
    tick(room)
    before = room.transcript()

    room.pass_time(hours=3)
    tick(room)

    assert room.transcript() == before


@pytest.mark.usefixtures("incident")
def test_before_half_time_nobody_is_called(room: Room):
    begun(room)
    room.pass_time(hours=18)

    tick(room)

    assert said(room, "nudge-") == []


# The deadline ----------------------------------------------------------------------------


def test_at_the_deadline_it_counts_as_held_and_the_draft_follows(room: Room, incident: int):
    begun(room)
    do(room, noting.note_finding, by=PRIYA, kind=FindingKind.learning, text="the replica lags")
    room.now = FRIDAY

    tick(room)

    assert stage(room, incident) is Stage.ended
    assert overview(room).startswith("*The review of “Checkout is slow” in threads has ended.* Thank you")
    assert "4 · Risks, learnings and open questions: 1 noted" in overview(room)
    assert [pressed(note) for note in said(room, "thread:")] == [[]] * 5
    room.pass_time(minutes=31)
    room.desk.serve_each(reporting.undrafted, reporting.draft_by_itself)
    assert stage(room, incident) is Stage.drafted


def test_who_said_or_noted_something_was_there(room: Room, incident: int):
    begun(room)
    reply(room, "contributors", by=PRIYA)
    do(room, noting.note_finding, by=JONAS, kind=FindingKind.risk, text="one person knows the failover")
    room.now = FRIDAY

    tick(room)

    assert room.ask(lambda db: present(db, incident)) == [JONAS, PRIYA]


def present(db: Session, incident: int) -> list[str]:
    meeting = reviews.last_held(db, reviews.of(db, incidents.get(db, incident)))
    assert meeting
    return sorted(row.user_id for row in attending.attendees(db, meeting) if row.present_at)


def test_it_can_be_closed_before(room: Room, incident: int):
    begun(room)

    do(room, discussing.close)

    assert stage(room, incident) is Stage.ended
    with pytest.raises(discussing.NotInThreads):
        do(room, discussing.close)


def test_a_day_more_is_a_working_day_more(room: Room, incident: int):
    begun(room)

    answer = plain(do(room, discussing.prolong))
    room.now = FRIDAY
    tick(room)

    assert answer == "This review goes on in threads until Mon 23 Nov, 14:00 UTC."
    assert "until *Mon 23 Nov, 14:00 UTC*" in overview(room)
    assert stage(room, incident) is Stage.mitigated


def test_the_report_tells_how_it_was_reviewed(room: Room, incident: int):
    begun(room)
    do(room, discussing.close)

    do(room, reporting.draft)

    draft = room.ask(lambda db: reviews.of(db, incidents.get(db, incident)).draft)
    assert "In threads: each topic had its question" in draft


# It goes another way ---------------------------------------------------------------------


def test_where_it_broke_again_it_stops_and_is_begun_anew_after_the_next_mitigation(room: Room, incident: int):
    begun(room)
    do(room, tracking.clear_moment, name="mitigated")
    tick(room)
    stopped = overview(room)
    room.pass_time(hours=2)
    mitigated(room, incident)

    begun(room)

    assert "*The review of “Checkout is slow” stops here.* It broke again" in stopped
    assert len(said(room, "threads:")) == 2
    assert len(said(room, "thread:")) == 10


def test_where_no_review_is_wanted_any_more_it_stops(room: Room, incident: int):
    begun(room)
    do(room, tracking.skip, reason="too small")

    tick(room)

    assert "stops here.* No review is wanted any more." in overview(room)
    room.now = FRIDAY
    tick(room)
    assert stage(room, incident) is Stage.skipped


def test_a_meeting_may_be_held_meanwhile(room: Room, incident: int):
    begun(room)
    do(room, facilitating.start)
    do(room, facilitating.end)
    room.now = FRIDAY

    tick(room)

    held = room.ask(lambda db: [m.number for m in reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))])
    assert held == [1, 2]


def test_a_meeting_takes_the_place_of_the_threads_once_somebody_has_said_so(room: Room, incident: int):
    begun(room)
    monday: dict[str, Any] = {"when": read_when("2026-11-23 10:00")}

    asked = [
        room.answer(ability, where=HERE, by=MARA, **monday) for ability in (scheduling.schedule, scheduling.choose)
    ]
    assert stage(room, incident) is Stage.mitigated
    do(room, scheduling.meet_instead, **monday)
    tick(room)

    for answer in asked:
        assert "The review goes on in threads until Fri 20 Nov 2026, 15:00 CET" in (answer.text if answer else "")
        assert buttons(answer) == ["Meet then instead"]
    assert overview(room).startswith(
        "*The review of “Checkout is slow” goes on in a meeting*, Mon 23 Nov, 09:00 UTC. "
        "Thank you for your answers: what was noted here is at hand there."
    )
    assert stage(room, incident) is Stage.scheduled
    assert room.ask(lambda db: reviews.of(db, incidents.get(db, incident)).depth) == "full"
    with pytest.raises(discussing.NotInThreads):
        do(room, discussing.close)


@pytest.mark.usefixtures("incident")
def test_whoever_looks_for_an_hour_reads_that_the_review_goes_on_in_threads(room: Room):
    begun(room)

    assert "A meeting would take their place." in do(room, scheduling.schedule)


@pytest.mark.usefixtures("incident")
def test_a_press_that_comes_after_the_threads_have_ended_books_the_meeting(room: Room):
    begun(room)
    do(room, discussing.close)

    answer = do(room, scheduling.meet_instead, when=read_when("2026-11-23 10:00"))

    assert answer.startswith("Booked for *Mon 23 Nov 2026, 10:00 CET*")


@pytest.mark.usefixtures("incident")
def test_the_way_that_goes_on_is_where_the_review_stands(room: Room):
    begun(room)

    assert "Next: the review goes on in threads in the incident's channel, until" in do(room, tracking.status)


@pytest.mark.usefixtures("incident")
def test_who_has_no_button_for_it_reads_until_when_and_of_no_meeting(room: Room):
    begun(room)

    told = plain(room.serve(tracking.status, where=HERE, by=PRIYA))
    do(room, discussing.close)
    ended = do(room, tracking.status)

    assert "until Fri 20 Nov, 14:00 UTC. Answer there where you know something." in told
    assert "Ask in threads" not in told
    assert "leads the meeting" not in told
    assert "Half an hour after its end I write its draft" in ended


@pytest.mark.usefixtures("incident")
def test_the_policy_of_a_review_in_threads_says_its_own_deadline_and_offers_no_way_that_is_taken(room: Room):
    before = do(room, tracking.policy)
    begun(room)
    do(room, discussing.prolong)
    going_on = room.answer(tracking.policy, where=HERE, by=MARA)
    do(room, discussing.close)
    ended = room.answer(tracking.policy, where=HERE, by=MARA)

    assert "All of this is what I ask for by default" in before
    assert going_on is not None
    assert "One deadline, Mon 23 Nov, 14:00 UTC; then the draft" in plain(going_on.text)
    assert "\nThe rest is what I ask for by default" in going_on.text
    assert (buttons(going_on), buttons(ended)) == ([], [])


# Where the policy wants it ---------------------------------------------------------------


@pytest.fixture
def in_threads(room: Room) -> Room:
    """A house that reviews every sev2 in threads."""
    asked = {**Policy().severities, Severity.sev2: Asked(Depth.threads)}
    room.desk.house = House(policy=Policy(severities=asked))
    return room


@pytest.mark.usefixtures("incident")
def test_the_lead_is_asked_once_in_their_working_hours_whether_the_threads_begin(in_threads: Room):
    tick(in_threads)
    in_threads.pass_time(days=1)
    tick(in_threads)

    (asked,) = in_threads.transcript(MARA)
    assert asked == (
        "“Checkout is slow” was mitigated on Wed 18 Nov 2026, 14:00 CET. Its review needs no meeting: each topic gets "
        "a question and a thread in <#C0INC>, and everybody answers when it suits them, "
        "until Fri 20 Nov 2026, 15:00 CET.\n\n"
        f"You are asked because you lead this incident. {HOW_TO_STOP}"
    )
    assert pressed(said(in_threads, "threads-proposal")[0]) == [
        "Begin the threads",
        "Rather a meeting",
        "No review needed",
    ]


@pytest.mark.usefixtures("incident")
def test_who_leads_two_incidents_is_asked_about_one_of_them_at_a_time(in_threads: Room):
    mitigated(in_threads, an_incident(in_threads, channel=ChannelId("C0OTHER")))

    tick(in_threads)

    assert len(in_threads.transcript(MARA)) == 1


@pytest.mark.usefixtures("incident")
def test_at_night_nobody_is_asked(in_threads: Room):
    in_threads.now = datetime(2026, 11, 18, 22, 0, tzinfo=UTC)

    tick(in_threads)

    assert in_threads.transcript() == []


@pytest.mark.usefixtures("incident")
def test_who_has_begun_them_is_not_asked(in_threads: Room):
    begun(in_threads)

    tick(in_threads)

    assert in_threads.transcript(MARA) == []


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize("ability", [tracking.policy, tracking.status])
def test_what_such_an_incident_asks_for_comes_with_the_button_that_begins_it(in_threads: Room, ability: Any):
    answer = in_threads.answer(ability, where=HERE, by=MARA)

    assert answer
    values = [one["value"] for block in answer.blocks for one in block.get("elements", []) if "value" in one]
    assert any('"async"' in value for value in values)


def test_where_people_share_no_working_hour_the_proposal_of_one_offers_threads(room: Room):
    incident = three_continents(room)

    proposed = room.answer(scheduling.schedule, where=Where(HERE.place, incident), by=MARA)

    assert "In threads instead" in buttons(proposed)


@pytest.mark.usefixtures("incident")
def test_where_they_do_it_does_not(room: Room):
    proposed = room.answer(scheduling.schedule, where=HERE, by=MARA)

    assert "Other times" in buttons(proposed)
    assert "In threads instead" not in buttons(proposed)


# What was said in the threads ------------------------------------------------------------


def offered(room: Room, number: int = 3) -> list[tuple[str, str]]:
    _, found = room.desk.look(discussing.replies_in, where=HERE, by=TOMAS, number=number)
    return [(one.user, one.words) for one in found]


def picks(room: Room, kind: FindingKind, number: int = 3) -> list[discussing.Pick]:
    _, found = room.desk.look(discussing.replies_in, where=HERE, by=TOMAS, number=number)
    return [discussing.Pick(one.channel, one.ts, kind) for one in found]


@pytest.mark.usefixtures("incident")
def test_a_reply_is_kept_in_the_words_and_the_name_of_whoever_said_it_once(room: Room):
    begun(room)
    room.pass_time(minutes=5)
    reply(room, "contributors", by=PRIYA)
    chosen = picks(room, FindingKind.contributor)

    first = do(room, discussing.keep_replies, by=TOMAS, picks=chosen)
    again = do(room, discussing.keep_replies, by=JONAS, picks=chosen)

    assert first == "Noted as contributor 1, in the words and under the name of whoever said it."
    assert again == "Nothing was noted: what you chose is noted already, or was deleted meanwhile."
    found = room.ask(lambda db: [(one.kind, one.text, one.by) for one in db.scalars(select(Finding))])
    assert found == [("contributor", "the retries had no limit", PRIYA)]
    assert offered(room) == []


@pytest.mark.usefixtures("incident")
def test_what_is_said_to_us_in_a_thread_is_no_reply_to_keep(room: Room):
    begun(room)
    room.pass_time(minutes=5)
    reply(room, "contributors", words="<@U0DEBRIEF> contributor technical: the retries had no limit")
    room.pass_time(minutes=1)
    reply(room, "contributors", words="<@U0DEBRIEF> contribtor technical: the retries had no limit")

    assert offered(room) == []


@pytest.mark.usefixtures("incident")
def test_each_thread_offers_its_own_replies(room: Room):
    begun(room)
    room.pass_time(minutes=5)
    reply(room, "contributors")

    assert offered(room, 3) == [(PRIYA, "the retries had no limit")]
    assert offered(room, 4) == []


@pytest.mark.usefixtures("incident")
def test_what_its_author_deleted_meanwhile_is_not_kept(room: Room):
    begun(room)
    room.pass_time(minutes=5)
    reply(room, "contributors")
    chosen = picks(room, FindingKind.mitigator)
    room.change(lambda db: db.execute(update(Message).values(deleted_at=room.now, text="", plain="")))

    answer = do(room, discussing.keep_replies, picks=chosen)

    assert answer.startswith("Nothing was noted")


@pytest.mark.usefixtures("incident")
def test_after_the_threads_have_ended_nothing_is_kept_from_them(room: Room):
    begun(room)
    do(room, discussing.close)

    with pytest.raises(discussing.NotInThreads):
        do(room, discussing.keep_replies, picks=[])


# Whatever people press -------------------------------------------------------------------

PRESSES: tuple[tuple[Any, dict[str, Any]], ...] = (
    *((discussing.begin, {}),) * 4,
    (discussing.prolong, {}),
    (discussing.close, {}),
    (discussing.keep_replies, {"picks": []}),
    (discussing.refresh, {}),
    *((leading_through.begin, {}),) * 4,
    (leading_through.advance, {"seen": 2}),
    (leading_through.advance, {}),
    (leading_through.go_back, {}),
    (leading_through.stop, {}),
    *((leading_through.finish, {}),) * 2,
    (leading_through.refresh, {}),
    (facilitating.start, {}),
    *((facilitating.end, {}),) * 2,
    (tracking.clear_moment, {"name": "mitigated"}),
    (tracking.skip, {"reason": "small"}),
    *((tracking.reopen, {}),) * 2,
    (reporting.draft, {}),
    (reporting.publish, {}),
)
PLAYS, LONG = 6, 40


def test_whatever_is_pressed_in_whatever_order_is_done_or_refused_with_a_sentence(room: Room):
    held = list[str]()

    for play in range(PLAYS):
        chance = random.Random(play)
        incident = an_incident(room, channel=ChannelId(f"C0INC{play}"))
        for _ in range(LONG):
            press(room, incident, chance)
        rows = room.ask(lambda db, incident=incident: ended(db, incident))
        assert all(begun <= over for begun, over, _ in rows)
        assert len(rows) == len({over for _, over, _ in rows})
        held += [how for _, _, how in rows]

    assert {discussing.WENT, leading_through.WENT} <= {*held}


def press(room: Room, incident: int, chance: random.Random) -> None:
    """Somebody presses something, and then some time passes; it is mitigated more often than not."""
    ability, what = chance.choice(PRESSES)
    by = chance.choice((MARA, MARA, MARA, TOMAS))
    with contextlib.suppress(Refused):
        room.serve(ability, where=Where(HERE.place, incident), by=by, **what)
    if not room.ask(lambda db: reviews.over_since(db, incidents.get(db, incident))):
        mitigated(room, incident)
    room.pass_time(hours=chance.choice((0, 1, 26)))
    tick(room)


def ended(db: Session, incident: int) -> list[tuple[datetime, datetime, str]]:
    """When each meeting began and ended, and what the report says of how it went."""
    rows = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))
    notes = {row.id: "".join(note.text for note in reviews.notes(db, row)) for row in rows}
    return [(row.opened_at, row.ended_at, notes[row.id]) for row in rows if row.opened_at and row.ended_at]


@pytest.mark.parametrize("words", ["the retries had no limit, and nobody had seen them pile up", "luck: quiet", "no"])
@pytest.mark.usefixtures("incident")
def test_what_its_author_deletes_later_leaves_the_finding_too(room: Room, words: str):
    begun(room)
    room.pass_time(minutes=5)
    ts = reply(room, "contributors", words=words)
    do(room, discussing.keep_replies, picks=picks(room, FindingKind.mitigator))
    do(room, discussing.refresh)
    delivered(room)
    room.pass_time(hours=1)

    fact = MessageFact(channel=CHANNEL, ts=ts, how="deleted", deleted_at=room.now)
    room.change(lambda db: messages.keep(db, TEAM, fact))

    assert room.ask(lambda db: db.scalars(select(Finding.text)).one()) == DELETED
    assert f"1 · _mitigator_ · {DELETED}" in thread(room, "contributors").text
