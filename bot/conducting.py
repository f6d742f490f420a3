"""What the clock does in a meeting: nobody presses anything, and still it goes on and comes to its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot import agreeing, showing
from bot.desk import Note, Notes, Turn
from bot.review.agenda import TIMELINE
from bot.review.incident import UserId
from bot.review.lifecycle import Stage
from bot.review.meeting_time import is_at_work
from storage import attending, incidents, outbox, people, presence, reviews, sittings, walk
from storage.models import Incident, Meeting
from storage.sittings import Sitting

NOBODY_CAME = timedelta(minutes=10)
"""So long after its hour it is asked what becomes of a meeting that nobody opened."""
AT_ITS_HOUR = timedelta(hours=1)
"""So long somebody may still be waiting for it to begin."""
STILL_WORTH_ASKING = timedelta(days=7)
"""After the hour, where the bot was away then."""
NOT_TODAY = timedelta(hours=12)
"""How much later a meeting is offered to move to, at the least."""
FORGOTTEN = timedelta(minutes=30)
"""After its planned end, a meeting in which nothing happens any more counts as ended (DOMAIN 4)."""
STILL_WORTH_TELLING = timedelta(days=3)
"""So long its owner may hear that a meeting ended by itself."""


# Every minute ---------------------------------------------------------------------------


def keep_time(turn: Turn) -> Notes:
    """What the time brings to each open meeting.

    1. One that runs by itself goes on when the minutes of a topic are over.
    2. `agenda` shows the minutes that are left, at most once a minute; what was noted and is not in its thread, comes.
    3. `agenda_mark` tells whoever leads, and nobody else, that a quarter of a topic is left or that it has run over.
    """
    for sitting in sittings.every(turn.db, turn.team):
        yield from _this_minute(turn, sitting, _gone_on(turn, sitting))


def _this_minute(turn: Turn, before: Sitting, sitting: Sitting) -> Notes:
    lines = list(showing.new_lines(turn, sitting))
    has_moved = sitting.agenda.version != before.agenda.version
    if has_moved:
        sittings.went_on(turn.db, sitting)
    # What Slack refused is not said again every minute; whoever does something in the meeting has it tried again.
    is_due = has_moved or lines or sitting.agenda.is_outdated(turn.now)
    if is_due and not showing.is_refused(turn, sitting):
        yield showing.agenda(turn, sitting)
        yield from lines
    yield from _mark(turn, sitting)


def _gone_on(turn: Turn, sitting: Sitting) -> Sitting:
    """A meeting that runs by itself, where it stands by its own clock."""
    agenda = sitting.agenda
    if sitting.meeting.self_run_at is None or agenda.moves_at > turn.now:
        return sitting
    if agenda.following and agenda.following.name == TIMELINE and not agenda.spent[agenda.current + 1]:
        agenda = agenda.with_stops(walk.stops_of(turn.db, sitting.incident, sitting.meeting, agenda))
    return replace(sitting, agenda=agenda.go_on(turn.now))


def _mark(turn: Turn, sitting: Sitting) -> Notes:
    """Once a topic and mark, however often it is returned to."""
    mark, meeting = sitting.agenda.mark(turn.now), sitting.meeting
    leads = _leads(turn, sitting)
    if mark is None or leads is None or meeting.self_run_at:
        return
    key = f"{mark}:{meeting.id}:{sitting.agenda.topic.name}"
    if outbox.find(turn.db, turn.team, key) is None:
        place = reviews.place_of(turn.db, sitting.incident, meeting)
        yield Note.aside(
            key,
            "agenda_mark",
            place,
            leads,
            incident=sitting.incident.id,
            mark=mark,
            agenda=sitting.agenda,
            left=sitting.agenda.minutes_left(turn.now),
        )


def _leads(turn: Turn, sitting: Sitting) -> UserId | None:
    """The facilitator, else the lead: who of them is here; nobody who does not see the incident any more."""
    roles = incidents.roles(turn.db, sitting.incident.id)
    here = {row.user_id for row in attending.attendees(turn.db, sitting.meeting) if row.present_at}
    leads = next((user for user in (roles.facilitator, roles.lead) if user in here), roles.facilitator_or_lead)
    sees = leads and incidents.by_number(turn.db, turn.team, sitting.incident.id, leads)
    return leads if sees else None


# Nobody is there at the hour ------------------------------------------------------------


def ask_where_nobody_is(turn: Turn) -> Notes:
    """Ten minutes after its hour nobody has opened a meeting: `nobody_here` asks once, there, what becomes of it.

    Where the bot was away at its hour, they may have met without it: `met_without_me` asks, in the lead's hours.
    """
    since, until = turn.now - STILL_WORTH_ASKING, turn.now - NOBODY_CAME
    for meeting, incident in reviews.planned_between(turn.db, turn.team, since, until):
        if meeting.asked_at is None and (note := _asked_now(turn, incident, meeting)):
            meeting.asked_at = turn.now
            turn.db.flush()
            yield note


def _asked_now(turn: Turn, incident: Incident, meeting: Meeting) -> Note | None:
    hour = meeting.meets_at or turn.now
    if turn.now - hour < AT_ITS_HOUR:
        return _whether_it_takes_place(turn, incident, meeting, "nobody_here")
    # One that was booked for an hour gone by is being recorded, not awaited.
    was_awaited = meeting.scheduled_at is not None and meeting.scheduled_at <= hour
    is_day = was_awaited and _is_day_for(turn, _lead_zone(turn, incident))
    return _whether_it_takes_place(turn, incident, meeting, "met_without_me") if is_day else None


def _is_day_for(turn: Turn, zone: ZoneInfo) -> bool:
    return is_at_work(turn.now, zone, turn.house.working_hours, turn.house.days_off)


def _lead_zone(turn: Turn, incident: Incident) -> ZoneInfo:
    return ZoneInfo(people.zone(turn.db, turn.team, incidents.roles(turn.db, incident.id).lead))


def _whether_it_takes_place(turn: Turn, incident: Incident, meeting: Meeting, template: str) -> Note:
    wish = agreeing.wish(turn, incident, minutes=meeting.minutes, now=turn.now + NOT_TODAY)
    later = agreeing.first_hour(turn, incident, attending.core(turn.db, meeting), wish).at
    return Note.once(
        f"nobody-here:{meeting.id}:{meeting.meets_at:%Y%m%dT%H%M}",
        template,
        reviews.place_of(turn.db, incident, meeting),
        incident=incident.id,
        title=incident.title,
        meeting=meeting,
        later=later,
        typed=f"{later:%Y-%m-%d %H:%MZ}",
    )


# A meeting that nobody ended ------------------------------------------------------------


def close_forgotten(turn: Turn) -> Notes:
    """Nobody pressed end: the meeting ended with its last gesture.

    1. `agenda_ended` says so where it met.
    2. `meeting_forgotten` tells its owner, as soon as they may be written to.
    """
    for sitting in sittings.every(turn.db, turn.team):
        if turn.now >= max(sitting.agenda.ends_at, sitting.touched_at) + FORGOTTEN:
            yield _ended_by_itself(turn, sitting, at=_end_of(sitting))
    yield from _owners_told(turn)


def _end_of(sitting: Sitting) -> datetime:
    """Its last gesture; one that ran by itself needed none, and took its minutes."""
    by_itself = sitting.meeting.self_run_at is not None
    return max(sitting.touched_at, sitting.agenda.ends_at) if by_itself else sitting.touched_at


def _ended_by_itself(turn: Turn, sitting: Sitting, *, at: datetime) -> Note:
    ended = replace(sitting, agenda=sitting.agenda.end(at))
    sittings.keep(turn.db, ended, now=at)
    incidents.record_change(
        turn.db,
        ended.incident,
        "meeting",
        ended.meeting.id,
        what=reviews.FORGOTTEN,
        before=None,
        after=at.isoformat(),
        by=None,
        now=turn.now,
    )
    return showing.agenda(turn, ended)


def _owners_told(turn: Turn) -> Notes:
    told: set[UserId] = set()
    untold = _untold(turn)
    free = turn.who_may_be_told([owner for *_, owner in untold])
    for meeting, incident, owner in untold:
        if owner in free - told and _is_to_be_told(turn, incident, owner):
            told.add(owner)
            yield _forgotten(turn, incident, meeting, owner)


def _untold(turn: Turn) -> Sequence[tuple[Meeting, Incident, UserId]]:
    """Meetings that ended by themselves, and who answers for each and was not told."""
    found = reviews.forgotten(turn.db, turn.team, since=turn.now - STILL_WORTH_TELLING)
    if not found:
        return []
    said = outbox.written(turn.db, turn.team, [_forgotten_key(meeting) for meeting, _ in found])
    left = [(meeting, incident) for meeting, incident in found if _forgotten_key(meeting) not in said]
    roles = incidents.roles_in(turn.db, [incident.id for _, incident in left])
    owned = [(meeting, incident, roles[incident.id].owner_or_lead) for meeting, incident in left]
    return [(meeting, incident, owner) for meeting, incident, owner in owned if owner]


def _is_to_be_told(turn: Turn, incident: Incident, owner: UserId) -> bool:
    return reviews.stage(turn.db, incident) is Stage.ended and turn.may_tell(owner, incident)


def _forgotten(turn: Turn, incident: Incident, meeting: Meeting, owner: UserId) -> Note:
    return Note.once(
        _forgotten_key(meeting),
        "meeting_forgotten",
        owner,
        incident=incident.id,
        title=incident.title,
        ended_at=meeting.ended_at,
        is_late=presence.was_away(turn.db, turn.team, (meeting.ended_at or turn.now) + FORGOTTEN),
        channel=reviews.place_of(turn.db, incident, meeting).channel,
    )


def _forgotten_key(meeting: Meeting) -> str:
    return f"forgotten:{meeting.id}:{meeting.ended_at:%Y%m%dT%H%M%S}"
