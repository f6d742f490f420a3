from datetime import timedelta

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from bot import offering, scheduling, tagging
from bot.listeners import forms, offers
from bot.listeners.edge import Gesture
from bot.listeners.forms import Memory
from bot.offering import Pick
from bot.review.findings import FindingKind
from bot.review.heard import MessageFact
from bot.review.incident import ChannelId, Place, UserId
from bot.review.refusal import NoIncidentHere
from bot.review.timeline import Kind
from bot.sandbox.validation import message_errors, view_errors
from storage import findings, incidents, messages, threads, timeline
from storage.incidents import Where
from storage.models import Change, Message, OutboxNote, RoleHeld, Source, TimelineEvent
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

BOT = UserId("U0DEBRIEF")


@pytest.fixture
def incident(room: Room) -> int:
    return an_incident(room, opened_at=NOVEMBER_18 - timedelta(hours=3))


def an_alert(room: Room, text: str, minutes: float, *, name: str = "Alarm Bell") -> str:
    """What a program said so many minutes after one o'clock."""
    at = NOVEMBER_18 - timedelta(minutes=60 - minutes)
    ts = f"{at.timestamp():.6f}"
    said = Message(
        team_id=TEAM, channel_id=CHANNEL, ts=ts, posted_at=at, bot_id="B0ALARM", bot_name=name, text=text, plain=text
    )
    room.change(lambda db: db.add(said))
    return ts


def a_burst(room: Room, count: int = 12) -> list[str]:
    return [an_alert(room, f"[FIRING] disk {minute + 50} % full", minute / 2) for minute in range(count)]


def offered(room: Room, by: UserId = MARA) -> list[offering.CandidateView]:
    return room.desk.look(offering.candidates_for, where=HERE, by=by)


def on_it(room: Room, incident: int) -> list[tuple[int, str, str | None]]:
    return room.ask(lambda db: [(e.number, e.kind, e.words) for e in timeline.told(db, incident)])


def keep(room: Room, *picks: Pick, leave: tuple[tuple[str, str], ...] = (), by: UserId = MARA) -> str:
    return room.serve(offering.keep_candidates, where=HERE, by=by, picks=picks, leave=leave)


def form(room: Room, incident: int, name: str = "candidates", word: str | None = None) -> dict[str, object]:
    memory = Memory(form=name, incident=incident, channel=CHANNEL, word=word)
    return room.desk.look(forms.build, gesture=Gesture(MARA, Place(CHANNEL)), memory=memory)


# What is offered -----------------------------------------------------------------------------


@pytest.mark.usefixtures("incident")
@pytest.mark.parametrize("mention", [f"<@{BOT}>", f"  <@{BOT}|debrief>"])
def test_what_is_said_to_us_by_mention_is_no_material_and_a_word_about_us_is(room: Room, mention: str):
    a_message(room, f"{mention} event 13:50 rolled back to v40, errors from 9 to 0 %")
    room.pass_time(minutes=1)
    about_us = a_message(room, f"rolled back to v40, errors from 9 to 0 %, <@{BOT}> knows when")

    found = [view.ts for view in offered(room)]

    assert found == [about_us]


def test_messages_worth_adding_are_offered_with_why_in_a_form_and_in_one_tap(room: Room, incident: int):
    a_message(room, "rolled back to v40, errors from 9 to 0 %")

    answer = room.answer(offering.offer_candidates, where=HERE, by=MARA)

    assert answer
    assert "a rollback" in answer.text
    assert "Choose in a form" in str(answer.blocks)
    assert "Keep the 1 suggested" in str(answer.blocks)
    assert message_errors({"text": answer.text, "blocks": answer.blocks}) == []


def test_where_there_is_nothing_to_offer_it_says_how_to_add_a_moment(room: Room, incident: int):
    a_message(room, "hi")

    assert "I found no message worth adding" in room.serve(offering.offer_candidates, where=HERE, by=MARA)


def test_what_this_bot_said_is_never_offered(room: Room, incident: int):
    a_message(room, "The incident is mitigated, errors from 9 to 0 %", by=BOT)

    assert offered(room) == []


def test_what_is_on_the_timeline_or_was_dropped_or_left_out_is_not_offered(room: Room, incident: int):
    tagged = a_message(room, "restarted the pods, 12 of 12 ready")
    dropped = a_message(room, "rolled back to v40", at=NOVEMBER_18 - timedelta(minutes=20))
    left = a_message(room, "deployed v41 to all regions", at=NOVEMBER_18 - timedelta(minutes=40))
    assert [one.ts for one in offered(room)] == [left, dropped, tagged]

    keep(room, Pick(CHANNEL, tagged), Pick(CHANNEL, dropped), leave=((CHANNEL, left),))
    room.serve(tagging.drop_event, where=HERE, by=MARA, number=1)

    assert offered(room) == []


def test_messages_in_threads_are_offered_and_those_of_other_channels_are_not(room: Room, incident: int):
    head = a_message(room, "rolled back to v40", at=NOVEMBER_18 - timedelta(minutes=20))
    reply = a_message(room, "restarted the pods, 12 of 12 ready")
    room.change(lambda db: setattr(db.scalar(select(Message).where(Message.ts == reply)), "thread_ts", head))
    a_message(room, "restarted the other pods", channel="C0OTHER", at=NOVEMBER_18 - timedelta(minutes=10))

    assert [one.ts for one in offered(room)] == [head, reply]


def test_who_does_not_see_a_private_incident_is_offered_what_nobody_is(room: Room):
    incident = an_incident(room, channel=ChannelId("C0SECRET"), private=NOVEMBER_18)
    a_message(room, "rolled back to v40", channel="C0SECRET")

    for ability in (offering.offer_candidates, offering.keep_suggested):
        with pytest.raises(NoIncidentHere):
            room.serve(ability, where=Where(Place(ChannelId("C0OTHER")), incident), by=OUTSIDER)


# A burst of alerts -----------------------------------------------------------------------------


def test_a_burst_of_alerts_is_kept_as_one_event_from_its_first_alert(room: Room, incident: int):
    first = a_burst(room)[0]

    keep(room, Pick(CHANNEL, first, Kind.automated))

    assert on_it(room, incident) == [(1, "automated", "12 alerts from Alarm Bell, 13:00–13:05 UTC")]
    [kept] = room.ask(lambda db: [(e.source, e.ts, e.occurred_at) for e in db.scalars(select(TimelineEvent))])
    assert kept == ("automated", first, NOVEMBER_18 - timedelta(minutes=60))
    assert offered(room) == []


def test_a_kept_burst_still_says_how_many_when_its_first_alert_is_deleted(room: Room, incident: int):
    first = a_burst(room)[0]
    keep(room, Pick(CHANNEL, first))
    fact = MessageFact(channel=CHANNEL, ts=first, how="deleted", deleted_at=room.now)

    room.change(lambda db: messages.keep(db, TEAM, fact))

    assert on_it(room, incident) == [(1, "automated", "12 alerts from Alarm Bell, 13:00–13:05 UTC")]


def test_an_alert_that_somebody_tagged_is_not_counted_twice(room: Room, incident: int):
    alerts = a_burst(room)
    keep(room, Pick(CHANNEL, alerts[0]))
    room.change(lambda db: db.execute(delete(TimelineEvent)))
    room.serve(tagging.tag_message, where=HERE, by=MARA, channel=CHANNEL, ts=alerts[3], kind=None, when=None, text=None)

    assert [one.words for one in offered(room)] == ["11 alerts from Alarm Bell, 13:00–13:05 UTC"]


def test_what_a_finding_keeps_is_no_moment_of_the_timeline(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40, errors from 9 to 0 %")
    before = offered(room)

    room.change(lambda db: is_found(db, incident, ts))

    assert ([one.ts for one in before], offered(room)) == ([ts], [])


def is_found(db: Session, number: int, ts: str) -> None:
    said = db.scalars(select(Message).where(Message.ts == ts)).one()
    of, what = incidents.get(db, number), {"kind": FindingKind.mitigator, "sort": None, "event": None}
    threads.quote(db, findings.add(db, of, text=said.text, by=PRIYA, now=NOVEMBER_18, **what), said)


# Keeping ---------------------------------------------------------------------------------------


def test_the_chosen_ones_are_on_the_timeline_once_as_the_kind_that_was_chosen(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40")

    answers = [keep(room, Pick(CHANNEL, ts, Kind.mitigation)) for _ in range(2)]

    assert answers[0].startswith("It is on the timeline as event 1.")
    assert answers[1].startswith("Nothing was added")
    assert on_it(room, incident) == [(1, "mitigation", "rolled back to v40")]


def test_leaving_out_twice_is_once(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40")

    for _ in range(2):
        keep(room, leave=((CHANNEL, ts),))

    assert room.ask(lambda db: [change.what for change in db.scalars(select(Change))]) == ["left_out"]


def test_one_tap_keeps_all_that_are_suggested(room: Room, incident: int):
    a_message(room, "rolled back to v40, errors from 9 to 0 %")
    a_message(room, "which dashboard is it, the second one", at=NOVEMBER_18 - timedelta(minutes=9))
    sure = [one for one in offered(room) if one.is_sure]

    room.serve(offering.keep_suggested, where=HERE, by=TOMAS)

    assert [words for _, _, words in on_it(room, incident)] == [one.words for one in sure]


def test_many_that_follow_one_another_are_told_in_a_few_words(room: Room, incident: int):
    said_at = [NOVEMBER_18 - timedelta(minutes=minutes) for minutes in (9, 8, 7)]
    stamps = [a_message(room, "rolled back to v40", at=at) for at in said_at]

    said = keep(room, *(Pick(CHANNEL, ts) for ts in stamps))

    assert said.startswith("3 messages are on the timeline now, as events 1 to 3.")


def test_what_was_dropped_meanwhile_is_not_brought_back_by_a_form_left_open(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40")
    keep(room, Pick(CHANNEL, ts))
    room.serve(tagging.drop_event, where=HERE, by=TOMAS, number=1)

    keep(room, Pick(CHANNEL, ts))

    assert on_it(room, incident) == []


def test_a_message_of_another_incident_or_one_deleted_meanwhile_is_not_kept(room: Room, incident: int):
    elsewhere = a_message(room, "rolled back", channel="C0OTHER", at=NOVEMBER_18 - timedelta(minutes=5))
    deleted = a_message(room, "restarted the pods")
    room.change(lambda db: setattr(db.scalar(select(Message).where(Message.ts == deleted)), "deleted_at", room.now))

    keep(room, Pick("C0OTHER", elsewhere), Pick(CHANNEL, deleted))

    assert on_it(room, incident) == []


def test_a_chosen_message_carries_our_emoji(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40")

    keep(room, Pick(CHANNEL, ts))

    assert room.ask(lambda db: [(n.kind, n.thread_ts, n.text) for n in db.scalars(select(OutboxNote))]) == [
        ("mark", ts, "memo")
    ]


def test_who_first_keeps_a_message_leads(room: Room, incident: int):
    room.change(lambda db: db.execute(delete(RoleHeld)))
    ts = a_message(room, "rolled back to v40")

    answer = keep(room, Pick(CHANNEL, ts), by=TOMAS)

    assert "you lead this incident now" in answer
    assert room.ask(incidents.roles, incident).lead == TOMAS


def test_kept_events_are_worded_anew_at_once_and_the_rest_stay_their_messages_own(room: Room, incident: int):
    first = a_message(room, "rolled back to v40", at=NOVEMBER_18 - timedelta(minutes=9))
    second = a_message(room, "restarted the pods")
    keep(room, Pick(CHANNEL, first), Pick(CHANNEL, second))

    answer = room.serve(
        offering.word_events, where=HERE, by=MARA, words={1: "Went back to version 40", 2: "restarted the pods", 7: "x"}
    )

    assert answer.startswith("Event 1 reads as you wrote it.")
    events = select(TimelineEvent).order_by(TimelineEvent.number)
    assert room.ask(lambda db: [e.text for e in db.scalars(events)]) == ["Went back to version 40", None]


# The form ----------------------------------------------------------------------------------------


def test_the_form_offers_each_message_with_who_when_and_why_and_its_kind_chosen(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40, errors from 9 to 0 %")

    rows = form(room, incident)["blocks"]

    assert isinstance(rows, list)
    assert rows[1]["block_id"] == f"pick {CHANNEL} {ts}"
    assert rows[1]["label"]["text"] == "15:00 Tomas: rolled back to v40, errors from 9 to 0 %"
    assert rows[1]["hint"]["text"] == "A rollback."
    assert rows[1]["element"]["initial_option"]["value"] == "action_taken"


def test_forty_long_messages_of_a_week_fit_into_one_form(room: Room, incident: int):
    room.change(lambda db: setattr(incidents.get(db, incident), "opened_at", NOVEMBER_18 - timedelta(days=9)))
    room.change(lambda db: db.execute(update(Source).values(from_at=NOVEMBER_18 - timedelta(days=9))))
    for number in range(60):
        words = f"rolled back region {number} to v40, " + "errors from 9 to 0 %, " * 40
        a_message(room, words, at=NOVEMBER_18 - timedelta(hours=3 * number))

    view = form(room, incident)

    rows = view["blocks"]
    assert isinstance(rows, list)
    assert sum(row["type"] == "input" for row in rows) == 40
    assert view_errors(view) == []


def test_what_is_chosen_in_the_form_is_kept_or_left_out(room: Room, incident: int):
    answers = {"pick C0INC 1763474400.000100": "decision", "pick C0INC 1763474401.000100": "leave", "other": "x"}

    assert offers.picks_of(answers) == (
        [Pick("C0INC", "1763474400.000100", Kind.decision)],
        [("C0INC", "1763474401.000100")],
    )


def test_the_kept_ones_are_worded_in_the_form_that_follows(room: Room, incident: int):
    ts = a_message(room, "rolled back to v40")
    keep(room, Pick(CHANNEL, ts))

    view = form(room, incident, "wording", offers.kept_keys({f"pick {CHANNEL} {ts}": "decision"}))

    rows = view["blocks"]
    assert isinstance(rows, list)
    assert rows[1]["block_id"] == "words 1"
    assert rows[1]["element"]["initial_value"] == "rolled back to v40"
    assert view_errors(view) == []


def test_who_is_mentioned_stands_in_the_forms_by_name(room: Room, incident: int):
    ts = a_message(room, f"rolled back to v40 with *@{PRIYA}*, see `deploys`")
    offer = str(form(room, incident))
    keep(room, Pick(CHANNEL, ts))

    wording = str(form(room, incident, "wording", f"{CHANNEL} {ts}"))
    room.serve(offering.word_events, where=HERE, by=MARA, words={1: "rolled back to v40 with *@Priya*, see `deploys`"})

    assert "rolled back to v40 with @Priya, see deploys" in offer
    assert "rolled back to v40 with *@Priya*" in wording
    assert room.ask(lambda db: [e.text for e in db.scalars(select(TimelineEvent))]) == [None]


# Offered to the lead -------------------------------------------------------------------------------


def proposed(room: Room) -> list[str]:
    room.serve(scheduling.propose_due)
    return room.transcript(MARA)


def test_the_lead_is_offered_them_with_the_meetings_hour_and_once(room: Room, incident: int):
    a_message(room, "rolled back to v40, errors from 9 to 0 %")
    assert proposed(room) == []

    mitigated(room, incident)

    [said] = proposed(room)
    assert "I found *1 message* that may belong there, and I would keep it." in said
    room.pass_time(days=1)
    assert proposed(room) == [said]


def test_a_lead_who_looked_at_them_after_mitigation_is_not_offered_them_again(room: Room, incident: int):
    a_message(room, "rolled back to v40, errors from 9 to 0 %")
    mitigated(room, incident)
    room.serve(offering.offer_candidates, where=HERE, by=MARA)

    [said] = proposed(room)

    assert "may belong there" not in said


@pytest.mark.parametrize("by", [TOMAS, MARA])
def test_what_somebody_looked_at_before_mitigation_does_not_keep_them_from_the_lead(
    room: Room, incident: int, by: UserId
):
    a_message(room, "rolled back to v40, errors from 9 to 0 %")
    room.serve(offering.offer_candidates, where=HERE, by=by)
    room.pass_time(minutes=5)
    mitigated(room, incident)

    [said] = proposed(room)

    assert "may belong there" in said


def test_offering_asks_the_database_as_often_for_a_thousand_messages_as_for_ten(room: Room, incident: int):
    def questions() -> int:
        asked: list[str] = []

        def count(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            asked.append(statement)

        event.listen(room.storage.engine, "before_cursor_execute", count)
        offered(room)
        event.remove(room.storage.engine, "before_cursor_execute", count)
        return len(asked)

    def say(start: int, count: int) -> None:
        rows = [
            Message(
                team_id=TEAM, channel_id=CHANNEL, ts=f"{at.timestamp():.6f}", posted_at=at, user_id=PRIYA, text=text,
                plain=text,
            )
            for number in range(start, start + count)
            for at, text in [(NOVEMBER_18 - timedelta(seconds=5 * number), f"restarted node {number}, 3 of 9 ready")]
        ]  # fmt: skip
        room.change(lambda db: db.add_all(rows))

    say(0, 10)
    few = questions()
    say(10, 990)

    assert questions() <= few + 2
