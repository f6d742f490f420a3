import json
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select

from bot import facilitating, formats, reporting
from bot.review import refusal
from bot.review.agenda import Agenda
from bot.review.findings import FindingKind
from bot.review.impact import Impact
from bot.review.incident import ChannelFacts, ChannelId, Place, UserId
from storage import actions, attending, findings, incidents, presence, reviews
from storage.actions import Proposal
from storage.incidents import Where
from storage.models import (
    EventComment,
    MeetingNote,
    Membership,
    Message,
    MessageVersion,
    Reaction,
    Review,
    TimelineEvent,
)
from tests.cast import (
    CHANNEL,
    HERE,
    MARA,
    NOVEMBER_18,
    OUTSIDER,
    PRIYA,
    TEAM,
    TOMAS,
    Room,
    a_message,
    an_incident,
    mitigated,
)

SECRET = Where(Place(ChannelId("C0SECRET")))
TEAM_CHANNEL = ChannelId("C0TEAM")


def held(room: Room, incident: int) -> None:
    """A meeting that ended just now."""

    def hold(db) -> None:
        meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
        meeting.scheduled_at = meeting.meets_at = meeting.opened_at = room.now - timedelta(hours=1)
        meeting.ended_at = room.now

    room.change(hold)


def a_held_review(room: Room, **facts) -> int:
    incident = an_incident(room, **facts)
    mitigated(room, incident)
    held(room, incident)
    return incident


def say(room: Room, verb, *, by: UserId = MARA, where: Where = HERE, **more) -> str:
    return room.serve(verb, where=where, by=by, **more)


def published(room: Room, **facts) -> int:
    incident = a_held_review(room, **facts)
    where = Where(Place(facts.get("channel", CHANNEL)))
    for verb in (reporting.draft, reporting.publish):
        say(room, verb, where=where)
    return incident


def a_private_review(room: Room) -> int:
    for member in (MARA, TOMAS):
        row = {"team_id": TEAM, "channel_id": SECRET.place.channel, "user_id": member}
        room.change(lambda db, row=row: db.add(Membership(**row)))
    return a_held_review(room, title="Leaked key", channel=SECRET.place.channel, private=room.now)


# Drafting and approving


def test_a_draft_is_written_after_the_meeting(room: Room):
    a_held_review(room)

    answer = say(room, reporting.draft)

    assert answer.startswith("The draft for Checkout is slow is written, from no events, no findings and no actions.")
    assert "Read it first, then approve it" in answer


def test_there_is_no_draft_before_a_meeting_was_held_and_has_ended(room: Room):
    mitigated(room, an_incident(room))

    with pytest.raises(refusal.NotHeld):
        say(room, reporting.draft)
    say(room, facilitating.start)
    with pytest.raises(refusal.NotEnded):
        say(room, reporting.draft)


def test_a_draft_without_a_summary_asks_for_three_sentences(room: Room):
    incident = a_held_review(room)
    asked = say(room, reporting.draft)

    room.change(lambda db: setattr(incidents.get(db, incident), "summary", "Slow. Many felt it. Rolled back."))

    assert "Three plain sentences" in asked
    assert "Three plain sentences" not in say(room, reporting.draft)


def test_a_draft_says_where_slack_did_not_let_us_compare_the_archive(room: Room):
    a_held_review(room)

    compared, alone = say(room, reporting.draft), say(room, reporting.draft, uncompared=[CHANNEL])

    assert "compare" not in compared
    assert f"Slack did not let me compare <#{CHANNEL}> with what I have." in alone


def test_nobody_waits_for_a_comparison_whose_draft_would_be_refused(room: Room):
    incident = a_held_review(room)

    assert room.desk.look(reporting.to_draft, where=HERE, by=MARA) == incident
    with pytest.raises(refusal.NotYours):
        room.desk.look(reporting.to_draft, where=HERE, by=OUTSIDER)


def test_a_new_draft_needs_a_new_approval(room: Room):
    incident = a_held_review(room)
    for verb in (reporting.draft, reporting.approve, reporting.draft):
        say(room, verb)

    approved = room.change(lambda db: reviews.of(db, incidents.get(db, incident)).approved_at)

    assert approved is None


@pytest.mark.parametrize("verb", [reporting.approve, reporting.publish])
def test_what_is_not_drafted_is_neither_approved_nor_published(room: Room, verb):
    a_held_review(room)

    with pytest.raises(refusal.NotDrafted):
        say(room, verb)


@pytest.mark.parametrize("verb", [reporting.draft, reporting.approve, reporting.publish, reporting.close])
def test_writing_is_for_the_owner_or_the_lead(room: Room, verb):
    published(room)

    with pytest.raises(refusal.NotYours):
        say(room, verb, by=TOMAS)


@pytest.mark.parametrize("verb", [reporting.draft, reporting.approve, reporting.publish])
def test_what_is_closed_stays_as_it_was_written(room: Room, verb):
    published(room)
    say(room, reporting.close)

    with pytest.raises(refusal.ReviewClosed):
        say(room, verb)


# Publishing and closing


def test_publishing_shares_the_first_page_where_the_incident_is_spoken_of(room: Room):
    incident = a_held_review(room)
    room.change(lambda db: fill(db, incident))
    say(room, reporting.draft)

    say(room, reporting.publish)
    say(room, reporting.publish)

    assert room.transcript(CHANNEL) == [
        (
            "Checkout is slow\n\n"
            "*What happened*\n"
            "> Checkout was slow. Buyers waited. A rollback fixed it.\n\n"
            "*Impact*\n"
            "Customers: one in five\n"
            "Services: checkout\n\n"
            "*How long it took*\n"
            "10 min until it was noticed (TTD = detected − began)\n"
            "1 h 10 min until the impact ended (TTM = mitigated − began)\n\n"
            "*What we learned*\n"
            "• the cache hides a slow database\n\n"
            "*What we will do*\n"
            "• alert on slow queries (<@U0TOMAS>, due Wed 25 Nov 2026)\n\n"
            "<@U0MARA> published this report. `/review report html` sends you the whole of it as a page, with the "
            "timeline, the findings and all actions. It is there to learn from; corrections are welcome.\n\n"
            f"Archive witness `{head_of(room)}`; whoever runs Debrief can check it with `debrief verify {incident}`."
        )
    ]


def head_of(room: Room) -> str:
    return room.ask(lambda db: db.scalars(select(Review.published_head)).one())[:16]


def test_the_report_names_what_the_witness_bore_when_it_was_published(room: Room):
    incident = a_held_review(room)
    say(room, reporting.draft)
    drafted = room.ask(formats.markdown, TEAM, incident)

    say(room, reporting.publish)
    published = room.ask(formats.markdown, TEAM, incident)

    mark = f"Archive witness `{head_of(room)}`; whoever runs Debrief can check it with `debrief verify {incident}`."
    assert "Archive witness" not in drafted
    assert published.endswith(f"\n\n---\n\n{mark}\n")


def test_publishing_what_nobody_approved_says_so(room: Room):
    a_held_review(room)
    say(room, reporting.draft)

    assert "publishing it counts as your approval" in say(room, reporting.publish)
    assert "publishing it counts as your approval" not in say(room, reporting.publish)


def test_a_report_can_be_shared_in_one_more_channel(room: Room):
    a_held_review(room)
    say(room, reporting.draft)

    say(room, reporting.publish, to=TEAM_CHANNEL, audience=ChannelFacts(channel=TEAM_CHANNEL, members=(OUTSIDER,)))

    assert room.transcript(TEAM_CHANNEL) == room.transcript(CHANNEL)


def test_a_channel_without_the_bot_is_refused(room: Room):
    a_held_review(room)
    say(room, reporting.draft)

    with pytest.raises(refusal.NotInChannel, match=f"I am not in <#{TEAM_CHANNEL}> yet"):
        say(room, reporting.publish, to=TEAM_CHANNEL, audience=ChannelFacts(channel=TEAM_CHANNEL, bot_is_member=False))


@pytest.mark.parametrize(
    "audience",
    [
        None,
        ChannelFacts(channel=TEAM_CHANNEL, private=False, members=(MARA,)),
        ChannelFacts(channel=TEAM_CHANNEL, private=True, members=(MARA, OUTSIDER)),
        ChannelFacts(channel=TEAM_CHANNEL, private=True, members=()),
    ],
)
def test_a_private_review_goes_to_no_channel_with_other_readers(room: Room, audience: ChannelFacts | None):
    a_private_review(room)
    say(room, reporting.draft, where=SECRET)

    with pytest.raises(refusal.PrivateStaysPrivate):
        say(room, reporting.publish, where=SECRET, to=TEAM_CHANNEL, audience=audience)

    assert room.transcript() == []


def test_a_private_review_may_go_where_only_its_own_people_are(room: Room):
    a_private_review(room)
    say(room, reporting.draft, where=SECRET)

    inside = ChannelFacts(channel=TEAM_CHANNEL, private=True, members=(MARA, TOMAS))
    say(room, reporting.publish, where=SECRET, to=TEAM_CHANNEL, audience=inside)

    assert len(room.transcript(TEAM_CHANNEL)) == 1


def test_a_review_is_closed_after_publishing_and_its_actions_live_on(room: Room):
    incident = a_held_review(room)
    room.change(lambda db: fill(db, incident))
    with pytest.raises(refusal.NotPublished):
        say(room, reporting.close)
    for verb in (reporting.draft, reporting.publish):
        say(room, verb)

    answer = say(room, reporting.close)

    assert "1 action lives on" in answer
    assert "alert on slow queries" in answer
    assert say(room, reporting.close) == answer


# Reading


def test_the_report_answers_with_its_first_page_and_where_the_whole_is(room: Room):
    incident = an_incident(room)

    answer = say(room, reporting.report, by=TOMAS)

    assert answer.startswith("Checkout is slow\n\n*What happened*\nNobody has written the summary yet.")
    assert f"`debrief export {incident} --format md` writes it." in answer


def test_the_markdown_is_shown_shortened(room: Room):
    incident = an_incident(room)
    room.change(lambda db: setattr(incidents.get(db, incident), "summary", "slow " * 2_000))

    answer = say(room, reporting.report, form="MD")

    assert answer.startswith("The report starts like this:\n\n> # Checkout is slow")
    assert len(answer) < 3_000


def test_the_whole_report_comes_as_a_page_in_direct_messages(room: Room):
    an_incident(room)

    answer = say(room, reporting.report, by=TOMAS, form="html")

    assert "in our direct messages" in answer
    assert room.transcript(TOMAS) == [
        (
            "Here is the report you asked for, as a page. Download it and open it in a browser; it needs nothing else, "
            "and prints well."
        )
    ]


@pytest.mark.parametrize(("form", "refused"), [("docx", refusal.UnknownFormat), ("pdfx", refusal.UnknownFormat)])
def test_a_format_that_is_not_there_is_named(room: Room, form: str, refused):
    an_incident(room)

    with pytest.raises(refused):
        say(room, reporting.report, form=form)


# The draft that is written by itself


def tick_until(room: Room, until: datetime) -> list[str]:
    """Let the clock ask every ten minutes; when something was said."""
    said: list[str] = []
    while room.now < until:
        before = len(room.transcript())
        room.desk.serve_each(reporting.undrafted, reporting.draft_by_itself)
        room.serve(reporting.tell_of_drafts)
        said += [f"{room.now:%a %d %H:%M}"] * (len(room.transcript()) - before)
        room.pass_time(minutes=10)
    return said


def drafted_at(room: Room) -> datetime | None:
    return room.ask(lambda db: db.scalars(select(Review.drafted_at)).one())


def test_the_draft_is_written_by_itself_within_the_hour_after_the_meeting(room: Room):
    incident = a_held_review(room)
    room.change(lambda db: fill(db, incident))

    tick_until(room, NOVEMBER_18 + timedelta(hours=1))

    assert drafted_at(room) == NOVEMBER_18 + timedelta(minutes=30)
    assert "**What happened:** Checkout was slow." in room.ask(lambda db: db.scalars(select(Review.draft)).one())


def test_its_owner_is_told_once_that_it_waits_and_in_working_hours(room: Room):
    a_held_review(room, lead=MARA)

    said = tick_until(room, NOVEMBER_18 + timedelta(days=5))

    assert said == ["Wed 18 14:30"]
    assert room.transcript(MARA)[0].startswith("The draft of the report on Checkout is slow is written")


def test_in_the_evening_the_draft_is_written_and_its_owner_told_in_the_morning(room: Room):
    room.pass_time(hours=4)
    a_held_review(room, lead=MARA)

    said = tick_until(room, NOVEMBER_18 + timedelta(days=5))

    assert drafted_at(room) == NOVEMBER_18 + timedelta(hours=4, minutes=30)
    assert said == ["Thu 19 08:00"]


def test_of_two_drafts_somebody_is_told_on_two_days(room: Room):
    a_held_review(room, lead=MARA)
    a_held_review(room, lead=MARA, title="Mail is late", channel=ChannelId("C0MAIL"))

    assert tick_until(room, NOVEMBER_18 + timedelta(days=2)) == ["Wed 18 14:30", "Thu 19 08:00"]


def test_what_another_program_drafted_meanwhile_is_not_drafted_again(room: Room):
    incident = a_held_review(room)
    room.pass_time(minutes=40)
    (what,) = room.desk.look(reporting.undrafted)
    room.serve(reporting.draft_by_itself, **what)
    first = drafted_at(room)
    room.pass_time(minutes=1)

    room.serve(reporting.draft_by_itself, **what)

    assert what == {"incident": incident}
    assert drafted_at(room) == first


def test_after_days_away_the_draft_says_how_late_it_comes(room: Room):
    room.change(lambda db: presence.notice(db, TEAM, now=room.now))
    a_held_review(room, lead=MARA)
    room.pass_time(days=5)
    room.change(lambda db: presence.notice(db, TEAM, now=room.now))

    tick_until(room, room.now + timedelta(minutes=10))

    assert "It comes 5 days late: I was away." in room.transcript(MARA)[0]


def test_whoever_drafted_it_is_not_told_that_it_waits(room: Room):
    a_held_review(room)
    say(room, reporting.draft)

    assert tick_until(room, NOVEMBER_18 + timedelta(days=2)) == []


def test_a_draft_is_written_anew_after_another_meeting_unless_it_was_approved(room: Room):
    incident = a_held_review(room)
    say(room, reporting.draft)
    room.pass_time(hours=1)
    held(room, incident)
    again = room.now

    tick_until(room, room.now + timedelta(hours=1))
    written_anew = drafted_at(room)
    say(room, reporting.approve)
    room.pass_time(hours=1)
    held(room, incident)
    tick_until(room, room.now + timedelta(hours=1))

    assert written_anew == drafted_at(room) == again + timedelta(minutes=30)


def test_a_meeting_that_goes_on_is_left_in_peace(room: Room):
    incident = a_held_review(room)

    def go_on(db) -> None:
        meeting = reviews.add_meeting(db, reviews.of(db, incidents.get(db, incident)), minutes=60)
        meeting.opened_at = room.now

    room.change(go_on)

    assert tick_until(room, NOVEMBER_18 + timedelta(days=1)) == []
    assert drafted_at(room) is None


def test_the_clock_takes_no_write_lock_for_a_draft_that_was_told_of(room: Room):
    a_held_review(room)
    tick_until(room, NOVEMBER_18 + timedelta(days=1))

    assert room.desk.look(lambda turn: list(reporting.tell_of_drafts(turn))) == []
    assert room.desk.look(reporting.undrafted) == []


# The whole of it


def fill(db, incident: int, *, owner: UserId = TOMAS) -> None:
    """A summary, an impact, three moments, a learning and an action."""
    row = incidents.get(db, incident)
    row.summary = "Checkout was slow. Buyers waited. A rollback fixed it."
    row.impact = Impact(customers="one in five", services=("checkout",)).to_json()
    for name, minutes in (("began", 70), ("detected", 60)):
        at = NOVEMBER_18 - timedelta(minutes=minutes)
        incidents.set_moment(db, row, name, at, by=MARA, how="set", now=NOVEMBER_18)
    text = "the cache hides a slow database"
    findings.add(db, row, kind=FindingKind.learning, sort="technical", text=text, by=PRIYA, event=None, now=NOVEMBER_18)
    proposal = Proposal(
        text="alert on slow queries", owner=owner, due=date(2026, 11, 25), horizon="quick", category="tooling"
    )
    actions.propose(db, row, proposal, by=MARA, now=NOVEMBER_18)


def told(db, incident: int, ts: str) -> None:
    """Two events, one from a message, with a comment, a change and a finding that came from it."""
    row = incidents.get(db, incident)
    at = NOVEMBER_18 - timedelta(minutes=60)
    facts = {"team_id": TEAM, "incident_id": incident, "recorded_at": NOVEMBER_18, "by": TOMAS}
    tagged = TimelineEvent(
        number=2, kind="detection", occurred_at=at, source="message", channel_id=CHANNEL, ts=ts, **facts
    )
    typed = TimelineEvent(
        number=1, kind="decision", outcome="helped", occurred_at=NOVEMBER_18, source="typed", text="Roll back.", **facts
    )
    db.add_all([typed, tagged])
    db.flush()
    db.add(EventComment(team_id=TEAM, event_id=tagged.id, text="the first one", by=PRIYA, at=NOVEMBER_18))
    change = {"what": "kind", "before": "note", "after": "detection", "by": MARA, "now": NOVEMBER_18}
    incidents.record_change(db, row, "event", tagged.id, **change)
    risk = {"kind": FindingKind.risk, "sort": None, "text": "only one person knows it", "by": MARA}
    findings.add(db, row, **risk, event=tagged, now=NOVEMBER_18)


def talked(db, ts: str) -> None:
    """An earlier wording and an emoji of the message, and a message that was deleted."""
    message = db.query(Message).filter_by(ts=ts).one()
    message.edited_ts = f"{NOVEMBER_18.timestamp():.6f}"
    db.add(MessageVersion(team_id=TEAM, message_id=message.id, at=message.posted_at, text="checkuot is slow"))
    emoji = {"team_id": TEAM, "channel_id": CHANNEL, "ts": ts, "name": "eyes", "changed_ts": ts}
    db.add_all([Reaction(user_id=user, **emoji) for user in (TOMAS, MARA)])
    gone = f"{NOVEMBER_18.timestamp():.6f}"
    db.add(
        Message(team_id=TEAM, channel_id=CHANNEL, ts=gone, posted_at=NOVEMBER_18, user_id=MARA, deleted_at=NOVEMBER_18)
    )


def met(db, incident: int) -> None:
    meeting = reviews.meetings(db, reviews.of(db, incidents.get(db, incident)))[0]
    agenda = Agenda.open(60, NOVEMBER_18 - timedelta(hours=1))
    meeting.agenda = agenda.end(NOVEMBER_18).to_json()
    meeting.channel_id = CHANNEL
    attending.invite(db, meeting, TOMAS, core=NOVEMBER_18, now=NOVEMBER_18)
    note = {"team_id": TEAM, "meeting_id": meeting.id, "topic": "opening", "by": MARA, "at": NOVEMBER_18}
    db.add_all([MeetingNote(text="noted", **note), MeetingNote(text="parked", parked_at=NOVEMBER_18, **note)])


def test_the_document_holds_the_whole_review(room: Room):
    incident = an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=2))
    mitigated(room, incident)
    held(room, incident)
    ts = a_message(room, "checkout is slow", at=NOVEMBER_18 - timedelta(minutes=60))
    for deed in (lambda db: fill(db, incident), lambda db: told(db, incident, ts), lambda db: talked(db, ts)):
        room.change(deed)
    room.change(lambda db: met(db, incident))

    document = room.ask(formats.document, TEAM, incident)

    assert document == {
        "schema": 1,
        "incident": {
            "id": 1,
            "team_id": TEAM,
            "title": "Checkout is slow",
            "severity": "sev2",
            "lead": MARA,
            "private": False,
            "sources": [
                {
                    "channel_id": CHANNEL,
                    "channel_name": "inc-checkout",
                    "thread_ts": None,
                    "from": "2026-11-18T12:00:00Z",
                    "to": None,
                }
            ],
            "moments": {
                "began": {"at": "2026-11-18T12:50:00Z", "by": MARA, "how": "set"},
                "detected": {"at": "2026-11-18T13:00:00Z", "by": MARA, "how": "set"},
                "acknowledged": {"at": None, "by": None, "how": None},
                "mitigated": {"at": "2026-11-18T14:00:00Z", "by": MARA, "how": "set"},
                "resolved": {"at": None, "by": None, "how": None},
            },
            "durations": {"ttd_s": 600, "tta_s": None, "ttm_s": 4200, "ttr_s": None},
            "impact": {
                "customers": "one in five",
                "regions": [],
                "services": ["checkout"],
                "teams": [],
                "functions": [],
                "inquiries": None,
                "text": "",
            },
            "summary": "Checkout was slow. Buyers waited. A rollback fixed it.",
        },
        "messages": [
            {
                "channel_id": CHANNEL,
                "ts": "1795006800.000000",
                "thread_ts": None,
                "user": TOMAS,
                "bot": None,
                "subtype": None,
                "text": "checkout is slow",
                "plain": "checkout is slow",
                "edited_at": "2026-11-18T14:00:00Z",
                "versions": [{"text": "checkuot is slow", "at": "2026-11-18T13:00:00Z"}],
                "deleted_at": None,
                "missing_since": None,
                "reactions": {"eyes": [MARA, TOMAS]},
                "redactions": [],
                "files": [],
                "permalink": "https://sandbox.example.com/archives/C0INC/p1795006800000000",
            },
            {
                "channel_id": CHANNEL,
                "ts": "1795010400.000000",
                "thread_ts": None,
                "user": MARA,
                "bot": None,
                "subtype": None,
                "text": None,
                "plain": None,
                "edited_at": None,
                "versions": [],
                "deleted_at": "2026-11-18T14:00:00Z",
                "missing_since": None,
                "reactions": {},
                "redactions": [],
                "files": [],
                "permalink": None,
            },
        ],
        "timeline": [
            {
                "number": 2,
                "kind": "detection",
                "outcome": "unknown",
                "occurred_at": "2026-11-18T13:00:00Z",
                "recorded_at": "2026-11-18T14:00:00Z",
                "text": "checkout is slow",
                "by": TOMAS,
                "source": "message",
                "message": {"channel_id": CHANNEL, "ts": "1795006800.000000"},
                "permalink": "https://sandbox.example.com/archives/C0INC/p1795006800000000",
                "question": None,
                "answer": None,
                "comments": [{"text": "the first one", "by": PRIYA, "at": "2026-11-18T14:00:00Z"}],
                "history": [
                    {"what": "kind", "from": "note", "to": "detection", "by": MARA, "at": "2026-11-18T14:00:00Z"}
                ],
            },
            {
                "number": 1,
                "kind": "decision",
                "outcome": "helped",
                "occurred_at": "2026-11-18T14:00:00Z",
                "recorded_at": "2026-11-18T14:00:00Z",
                "text": "Roll back.",
                "by": TOMAS,
                "source": "typed",
                "message": None,
                "permalink": None,
                "question": None,
                "answer": None,
                "comments": [],
                "history": [],
            },
        ],
        "review": {
            "stage": "ended",
            "facilitator": None,
            "scribe": None,
            "owner": None,
            "meetings": [
                {
                    "number": 1,
                    "meets_at": "2026-11-18T13:00:00Z",
                    "minutes": 60,
                    "place": {"channel_id": CHANNEL, "thread_ts": None, "call": None},
                    "attendees": [{"user": TOMAS, "core": True, "present": False}],
                    "recording": None,
                    "topics": [
                        {"name": "opening", "planned_s": 180, "spent_s": 3600},
                        {"name": "summary", "planned_s": 240, "spent_s": 0},
                        {"name": "timeline", "planned_s": 2100, "spent_s": 0},
                        {"name": "findings", "planned_s": 540, "spent_s": 0},
                        {"name": "actions", "planned_s": 300, "spent_s": 0},
                        {"name": "close", "planned_s": 240, "spent_s": 0},
                    ],
                    "notes": [{"text": "noted", "by": MARA, "at": "2026-11-18T14:00:00Z", "topic": "opening"}],
                    "parked": [{"text": "parked", "by": MARA, "at": "2026-11-18T14:00:00Z", "topic": "opening"}],
                    "scheduled_at": "2026-11-18T13:00:00Z",
                    "opened_at": "2026-11-18T13:00:00Z",
                    "ended_at": "2026-11-18T14:00:00Z",
                }
            ],
            "pre_read_sent_at": None,
            "drafted_at": None,
            "approved_at": None,
            "published_at": None,
            "closed_at": None,
            "cancelled_at": None,
            "reason": None,
        },
        "findings": [
            {
                "number": 1,
                "kind": "learning",
                "sort": "technical",
                "text": "the cache hides a slow database",
                "by": PRIYA,
                "at": "2026-11-18T14:00:00Z",
                "event": None,
            },
            {
                "number": 2,
                "kind": "risk",
                "sort": None,
                "text": "only one person knows it",
                "by": MARA,
                "at": "2026-11-18T14:00:00Z",
                "event": 2,
            },
        ],
        "actions": [
            {
                "number": 1,
                "text": "alert on slow queries",
                "owner": TOMAS,
                "due": "2026-11-25",
                "state": "proposed",
                "horizon": "quick",
                "category": "tooling",
                "priority": None,
                "team": None,
                "answers": [],
                "second_order": None,
                "evidence": {"deployed": None, "tested": None, "documented": None},
                "verified_by": None,
                "reason": None,
                "message": None,
                "history": [],
            }
        ],
    }


def test_the_same_database_gives_the_same_bytes_twice(room: Room):
    incident = published(room)
    room.change(lambda db: fill(db, incident))

    once = json.dumps(room.ask(formats.document, TEAM, incident), ensure_ascii=False, indent=2, sort_keys=False)
    room.pass_time(days=3)
    again = json.dumps(room.ask(formats.document, TEAM, incident), ensure_ascii=False, indent=2, sort_keys=False)

    assert once == again
    assert room.ask(formats.markdown, TEAM, incident) == room.ask(formats.markdown, TEAM, incident)


def test_an_incident_of_nobody_is_not_exported(room: Room):
    incident = an_incident(room)

    for team, wanted in (("T0OTHER", incident), (TEAM, incident + 1)):
        with pytest.raises(LookupError):
            room.ask(formats.document, team, wanted)


def test_a_document_takes_as_many_queries_for_many_messages_as_for_few(room: Room):
    incident = an_incident(room)
    counted: list[int] = []

    for messages in (1, 200):
        room.change(lambda db, messages=messages: db.add_all(chatter(messages)))
        counted.append(queries(room, incident))

    assert counted[0] == counted[1]


def chatter(count: int) -> list[Message]:
    moments = [NOVEMBER_18 + timedelta(milliseconds=count * 10_000 + number) for number in range(count)]
    return [
        Message(team_id=TEAM, channel_id=CHANNEL, ts=f"{at.timestamp():.6f}", posted_at=at, plain="word")
        for at in moments
    ]


def queries(room: Room, incident: int) -> int:
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        seen.append(statement)

    sqlalchemy_event.listen(room.storage.engine, "before_cursor_execute", note)
    room.ask(formats.document, TEAM, incident)
    sqlalchemy_event.remove(room.storage.engine, "before_cursor_execute", note)
    return len(seen)
