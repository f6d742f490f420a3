"""The meeting: open it, walk through its topics, close it. What is noted on the way is in `noting`.

Where the meeting stands lies in its row as an `Agenda`: a restart in the middle loses nothing. What everybody reads of
it is one message, `templates/notes/agenda.j2`: a head, the topic on the table (`agenda_topic_….j2`) and a foot.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import deciding, pre_reading, showing
from bot.desk import Note, Notes, Turn
from bot.review.agenda import TIMELINE, Agenda
from bot.review.incident import UserId
from bot.review.lifecycle import Who, require
from bot.review.refusal import (
    AnotherMeetingHere,
    FirstTopic,
    HeldTooSoon,
    LastTopic,
    MetWithMe,
    NothingScheduled,
)
from bot.review.when import When
from bot.sitting import led_by, open_now
from storage import attending, incidents, noted, people, reviews, sittings, walk
from storage.incidents import Where
from storage.models import Incident, Meeting, Review
from storage.sittings import Sitting

SAME_MEETING = timedelta(hours=24)
"""A `start` this soon after `end` goes on with the same meeting; later it opens another."""
EARLY = timedelta(hours=1)
"""So long before its hour, a planned meeting comes before the one that just ended."""
KEPT_RIGHT = timedelta(days=3)
"""So long the agenda of a meeting that ended follows what is changed."""


# Opening and closing ------------------------------------------------------------------


def start(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Open the planned meeting, or go on with the one that ended a while ago, or meet at once.

    Says `agenda` to everybody, and `help_card` to whoever opened it. One that runs by itself is led from here.
    """
    incident = _held(turn, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "start")
    sitting = sittings.of(turn.db, incident)
    if sitting and sitting.meeting.self_run_at:
        sitting.meeting.self_run_at = None
        sittings.touch(turn.db, sitting, now=turn.now)
        yield showing.agenda(turn, sitting)
    else:
        sitting = _open(turn, incident, _meeting_to_open(turn, incident, by), by)
        sitting.meeting.self_run_at = None
        yield from _shown_at_the_bottom(turn, sitting)
    yield _help_card(turn, sitting, by)


def run_itself(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Let the meeting run by itself: its agenda goes on when the minutes of a topic are over, and anybody may press.

    Whoever leads it may, and once it was asked, with nobody there, everybody. Says `agenda` and `meeting_runs_itself`.
    """
    incident = _held(turn, where, by)
    planned, sitting = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident)), sittings.of(turn.db, incident)
    if planned is None or planned.asked_at is None:
        require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "run")
    if sitting and sitting.meeting.self_run_at is None:
        sitting.meeting.self_run_at = turn.now
        yield showing.agenda(turn, sitting)
    else:
        sitting = _open(turn, incident, _meeting_to_open(turn, incident, by), by)
        sitting.meeting.self_run_at = turn.now
        yield from _shown_at_the_bottom(turn, sitting)
    yield Note.private(by, "meeting_runs_itself", incident=incident.id)


def _held(turn: Turn, where: Where, by: UserId) -> Incident:
    """The incident, whose review two people cannot open at once."""
    incident = incidents.at(turn.db, turn.team, where, by)
    reviews.hold(turn.db, incident)
    return incident


def _meeting_to_open(turn: Turn, incident: Incident, by: UserId) -> Meeting:
    """The one whose hour has come, else the one that just ended, else the next, else one that begins now."""
    deciding.must_go_on(turn, incident, "start")
    review = reviews.of(turn.db, incident)
    planned, ended = reviews.planned_meeting(turn.db, review), _just_ended(turn, review)
    if planned and planned.meets_at and planned.meets_at <= turn.now + EARLY:
        return planned
    return ended or planned or _met_now(turn, incident, by)


def _just_ended(turn: Turn, review: Review) -> Meeting | None:
    last = reviews.last_held(turn.db, review)
    if last is None or last.agenda is None or last.ended_at is None:
        return None
    return last if turn.now - last.ended_at < SAME_MEETING else None


def _open(turn: Turn, incident: Incident, meeting: Meeting, by: UserId) -> Sitting:
    if reviews.sitting_elsewhere(turn.db, meeting, reviews.place_of(turn.db, incident, meeting)):
        raise AnotherMeetingHere
    if meeting.agenda is None:
        agenda = Agenda.open(meeting.minutes, turn.now)
        agenda = agenda.with_stops(walk.stops_of(turn.db, incident, meeting, agenda))
        meeting.opened_at = turn.now
    else:
        agenda = Agenda.from_json(meeting.agenda).resume(turn.now)
    sitting = Sitting(incident, meeting, agenda)
    sittings.keep(turn.db, sitting, now=turn.now)
    attending.here(turn.db, meeting, by, now=turn.now)
    return sitting


def end(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Close the meeting; says what comes next: `agenda_ended` to everybody, `meeting_ended` to whoever pressed."""
    sitting = led_by(turn, where, by, "end")
    ended = replace(sitting, agenda=sitting.agenda.end(turn.now))
    sittings.keep(turn.db, ended, now=turn.now)
    comes = showing.what_comes(turn, ended.incident, ended.meeting)
    yield showing.agenda(turn, ended)
    yield from showing.lines(turn, ended)
    yield Note.private(by, "meeting_ended", incident=ended.incident.id, comes=comes, recording=ended.meeting.recording)


def held(turn: Turn, *, where: Where, by: UserId, when: When | None) -> Notes:
    """The meeting was held without the bot; says `held`, and `held_said` to whoever was asked to a booked one.

    Raises HeldTooSoon and MetWithMe.
    """
    incident = _held(turn, where, by)
    require(Who.facilitating, by, incidents.roles(turn.db, incident.id), "held")
    deciding.must_go_on(turn, incident, "start")
    at, zone = _held_at(turn, incident, when, by), people.zone(turn.db, turn.team, by)
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    meeting = _meeting_held(turn, incident, planned, by, at=at)
    at = at or min(meeting.meets_at or turn.now, turn.now)
    meeting.opened_at, meeting.meets_at = at, meeting.meets_at or at
    meeting.ended_at = min(turn.now, at + timedelta(minutes=meeting.minutes))
    _record(turn, incident, meeting, what="held", after=at, by=by)
    if planned:
        yield from _said_as_held(turn, incident, planned, at=at, by=by)
    comes = showing.what_comes(turn, incident, meeting)
    yield Note.private(by, "held", incident=incident.id, at=at, zone=zone, comes=comes)


def _held_at(turn: Turn, incident: Incident, when: When | None, by: UserId) -> datetime | None:
    """The hour that somebody named; raises InTheFuture and HeldTooSoon."""
    if when is None:
        return None
    at = when.past(turn.now, ZoneInfo(people.zone(turn.db, turn.team, by)))
    over_at = reviews.over_since(turn.db, incident)
    if over_at and at < over_at:
        raise HeldTooSoon(words=when.words)
    return at


def _meeting_held(
    turn: Turn, incident: Incident, planned: Meeting | None, by: UserId, *, at: datetime | None
) -> Meeting:
    """The planned one, else the one already marked as held without the bot, else a new one; raises MetWithMe."""
    if planned:
        return _held_before_its_hour(turn, incident, planned, by) if _is_ahead(turn, planned) else planned
    last = reviews.last_held(turn.db, reviews.of(turn.db, incident))
    if last and last.agenda is None:
        return last
    if last and last.ended_at and (at is None or at < last.ended_at):
        raise MetWithMe
    return _met_now(turn, incident, by)


def _is_ahead(turn: Turn, planned: Meeting) -> bool:
    return planned.meets_at is not None and planned.meets_at > turn.now


def _held_before_its_hour(turn: Turn, incident: Incident, planned: Meeting, by: UserId) -> Meeting:
    """They met sooner: the hour that calendars hold is off, and those who were asked to it were asked to this one."""
    deciding.call_off_planned(turn, incident, by)
    meeting = _met_now(turn, incident, by)
    for user in attending.core(turn.db, planned):
        attending.invite(turn.db, meeting, user, core=turn.now, now=turn.now)
    return meeting


def _said_as_held(turn: Turn, incident: Incident, planned: Meeting, *, at: datetime, by: UserId) -> Notes:
    yield Note.once(
        f"held:{planned.id}",
        "held_said",
        reviews.place_of(turn.db, incident, planned),
        title=incident.title,
        planned=planned,
        at=at,
        by=by,
        core=attending.core(turn.db, planned),
    )
    if planned.cancelled_at:
        yield from pre_reading.kept_right(turn, incident, planned)


def _met_now(turn: Turn, incident: Incident, by: UserId) -> Meeting:
    minutes = turn.asked_of(incident).minutes
    speakers = turn.house.policy.business
    return reviews.plan(turn.db, incident, at=turn.now, minutes=minutes, by=by, now=turn.now, speakers=speakers)


def _record(turn: Turn, incident: Incident, meeting: Meeting, *, what: str, after: datetime, by: UserId | None) -> None:
    incidents.record_change(
        turn.db, incident, "meeting", meeting.id, what=what, before=None, after=after.isoformat(), by=by, now=turn.now
    )
    turn.db.flush()


# Moving through the agenda ------------------------------------------------------------


def advance(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The next stop of the walk, else the next topic; of two presses at once one counts.

    Says `agenda`, whose topic is `agenda_topic_….j2`, to everybody, and `agenda_moved` to whoever pressed.
    """
    sitting = led_by(turn, where, by, "next")
    agenda = sitting.agenda.advance(turn.now, seen)
    if agenda is sitting.agenda and not agenda.has_passed(seen):
        raise LastTopic
    yield from _moved(turn, sitting, agenda, by=by, seen=seen)


def go_back(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """The stop or topic before; says what `advance` says."""
    sitting = led_by(turn, where, by, "back")
    agenda = sitting.agenda.back(turn.now, seen)
    if agenda is sitting.agenda and not agenda.has_passed(seen):
        raise FirstTopic
    yield from _moved(turn, sitting, agenda, by=by, seen=seen)


def go_to(turn: Turn, *, where: Where, by: UserId, words: str) -> Notes:
    """Any topic, forward or back: the order is a guide, not a cage (S1); says what `advance` says."""
    sitting = led_by(turn, where, by, "go")
    yield from _moved(turn, sitting, sitting.agenda.go_to(words, turn.now), by=by)


def extend(turn: Turn, *, where: Where, by: UserId, minutes: int, seen: int | None = None) -> Notes:
    """More minutes for this topic, taken from later ones: the meeting still ends on time; says what `advance` says."""
    sitting = led_by(turn, where, by, "extend")
    yield from _moved(turn, sitting, sitting.agenda.extend(minutes, seen), by=by, seen=seen)


def _moved(turn: Turn, sitting: Sitting, agenda: Agenda, *, by: UserId, seen: int | None = None) -> Notes:
    """Keep the new agenda and show it; the minutes are said to whoever pressed, and to nobody else."""
    before = sitting.agenda
    if agenda.topic.name == TIMELINE and before.topic.name != TIMELINE and not agenda.spent[agenda.current]:
        agenda = agenda.with_stops(walk.stops_of(turn.db, sitting.incident, sitting.meeting, agenda))
    moved = replace(sitting, agenda=agenda)
    sittings.keep(turn.db, moved, now=turn.now)
    attending.here(turn.db, sitting.meeting, by, now=turn.now)
    yield showing.agenda(turn, moved)
    yield Note.private(
        by,
        "agenda_moved",
        before=before,
        agenda=agenda,
        left=agenda.minutes_left(turn.now),
        over_by=-before.minutes_left(turn.now).topic,
        is_stale=before.has_passed(seen),
    )


# Showing it -----------------------------------------------------------------------------


def show_agenda(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Where the meeting stands, for whoever asks: `agenda`; before it opens, `agenda_planned`."""
    incident = incidents.at(turn.db, turn.team, where, by)
    sitting = sittings.of(turn.db, incident)
    yield Note.private(by, "agenda", page=showing.page(turn, sitting)) if sitting else _planned(turn, incident, by)


def _planned(turn: Turn, incident: Incident, by: UserId) -> Note:
    planned = reviews.planned_meeting(turn.db, reviews.of(turn.db, incident))
    if planned is None or planned.meets_at is None:
        raise NothingScheduled
    topics = Agenda.open(planned.minutes, planned.meets_at).topics
    return Note.private(
        by, "agenda_planned", incident=incident.id, at=planned.meets_at, minutes=planned.minutes, topics=topics
    )


def topics(turn: Turn, *, where: Where, by: UserId) -> Agenda:
    """The agenda of the open meeting, to choose a topic from; raises NotInMeeting."""
    return open_now(turn, where, by).agenda


def bring_down(turn: Turn, *, where: Where, by: UserId, seen: int | None = None) -> Notes:
    """Post the agenda anew where people read, and leave a line where it was; of two presses at once one counts.

    Both are written in one turn and said in this order: whatever happens between, there is one agenda to press on.
    """
    sitting = open_now(turn, where, by)
    is_stale = sitting.agenda.has_passed(seen)
    if not is_stale:
        yield from _shown_at_the_bottom(turn, sitting)
    yield Note.private(by, "agenda_brought_down", is_stale=is_stale)


def _shown_at_the_bottom(turn: Turn, sitting: Sitting) -> Notes:
    """What waits to be posted comes out at the bottom anyway."""
    if showing.is_posted(turn, sitting):
        yield showing.moved_down(turn, sitting)
        sitting = replace(sitting, agenda=sitting.agenda.post_anew())
        sittings.keep(turn.db, sitting, now=turn.now)
    yield showing.agenda(turn, sitting)


def refresh(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """Show what was changed elsewhere: `agenda`, and `noted` for each thing in its thread; without a meeting, nothing.

    A meeting that has ended is kept right for a few days: the link to its recording comes later.
    """
    incident = incidents.at(turn.db, turn.team, where, by)
    sitting = sittings.of_late(turn.db, incident, since=turn.now - KEPT_RIGHT)
    if sitting is None:
        return
    if sitting.meeting.ended_at is None:
        sittings.touch(turn.db, sitting, now=turn.now)
    yield showing.agenda(turn, sitting)
    yield from showing.lines(turn, sitting)


# For whoever leads ------------------------------------------------------------------------


def help_card(turn: Turn, *, where: Where, by: UserId) -> Notes:
    """What helps when it gets hard, for one person's eyes: `help_card`."""
    yield _help_card(turn, led_by(turn, where, by, "card"), by)


def _help_card(turn: Turn, sitting: Sitting, by: UserId) -> Note:
    return Note.private(
        by,
        "help_card",
        incident=sitting.incident.id,
        scribe=incidents.roles(turn.db, sitting.incident.id).scribe,
        recording=sitting.meeting.recording,
        unheard=_unheard(turn, sitting, by),
    )


def _unheard(turn: Turn, sitting: Sitting, by: UserId) -> list[str]:
    """Who came or was asked to come and is in nothing that was noted; nobody while nothing is. Nothing is counted."""
    heard = noted.heard(turn.db, sitting.incident, sitting.meeting)
    asked = [row.user_id for row in attending.attendees(turn.db, sitting.meeting) if row.present_at or row.core_since]
    return [user for user in asked if user not in heard | {by}] if heard else []
