"""Reviews and their meetings: which one an incident has, what is planned, who comes."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from bot.review.in_time import InTime
from bot.review.incident import FORMULAS, ChannelId, Place, durations, in_words
from bot.review.lifecycle import Milestones, Stage, stage_of
from storage import attending, incidents, participants, people
from storage.models import (
    Change,
    Incident,
    Meeting,
    MeetingNote,
    Moment,
    Review,
)


def of(db: Session, incident: Incident) -> Review:
    """The review of an incident; every incident has one from the moment it is opened."""
    return db.scalars(select(Review).where(Review.incident_id == incident.id)).one()


def of_each(db: Session, numbers: Collection[int]) -> Mapping[int, Review]:
    """That of each of these incidents."""
    return {row.incident_id: row for row in db.scalars(select(Review).where(Review.incident_id.in_(numbers)))}


def hold(db: Session, incident: Incident) -> None:
    """Let nobody else open or plan a meeting of it until the turn ends."""
    db.execute(select(Review.id).where(Review.incident_id == incident.id).with_for_update())


def begin(db: Session, incident: Incident) -> Review:
    """The review that every incident gets when it is opened."""
    review = Review(team_id=incident.team_id, incident_id=incident.id)
    db.add(review)
    db.flush()
    return review


OF_EVERYBODY = Meeting.apart.is_(None)
"""No meeting of one team apart, of which `meetings_apart` knows."""


def meetings(db: Session, review: Review) -> Sequence[Meeting]:
    """Every sitting of everybody in a review, cancelled ones too, by number."""
    every = select(Meeting).where(Meeting.review_id == review.id, OF_EVERYBODY).order_by(Meeting.number)
    return db.scalars(every).all()


def planned_meeting(db: Session, review: Review) -> Meeting | None:
    """The meeting that was scheduled and not yet opened, ended or cancelled."""
    return db.scalar(
        select(Meeting)
        .where(
            Meeting.review_id == review.id,
            OF_EVERYBODY,
            Meeting.scheduled_at.is_not(None),
            Meeting.cancelled_at.is_(None),
            Meeting.opened_at.is_(None),
            Meeting.ended_at.is_(None),
        )
        .order_by(Meeting.number)
        .limit(1)
    )


def open_meeting(db: Session, review: Review) -> Meeting | None:
    """The meeting that is sitting now."""
    return db.scalar(
        select(Meeting)
        .where(Meeting.review_id == review.id, OF_EVERYBODY, Meeting.opened_at.is_not(None), Meeting.ended_at.is_(None))
        .order_by(Meeting.number.desc())
        .limit(1)
    )


def last_held(db: Session, review: Review) -> Meeting | None:
    """The latest meeting that has ended."""
    return last_held_in(db, [review.id]).get(review.id)


def last_held_in(db: Session, numbers: Collection[int]) -> Mapping[int, Meeting]:
    """That of each of these reviews that has met."""
    ended = (Meeting.review_id.in_(numbers), OF_EVERYBODY, Meeting.ended_at.is_not(None))
    return {row.review_id: row for row in db.scalars(select(Meeting).where(*ended).order_by(Meeting.number))}


def add_meeting(db: Session, review: Review, *, minutes: int) -> Meeting:
    """A new sitting with the next number; when and where follow."""
    last = db.scalar(select(func.max(Meeting.number)).where(Meeting.review_id == review.id)) or 0
    meeting = Meeting(team_id=review.team_id, review_id=review.id, number=last + 1, minutes=minutes)
    db.add(meeting)
    db.flush()
    return meeting


def place_of(db: Session, incident: Incident, meeting: Meeting) -> Place:
    """Where a meeting sits: its own place, else the incident's."""
    if meeting.channel_id is None:
        return incidents.main_place(db, incident.id)
    return Place(ChannelId(meeting.channel_id), meeting.thread_ts or "")


def usual_place(db: Session, incident: Incident) -> Place:
    """Where the next meeting sits: where the last one of this review did, else where the incident is spoken of."""
    placed = [meeting for meeting in meetings(db, of(db, incident)) if meeting.channel_id]
    return place_of(db, incident, placed[-1]) if placed else incidents.main_place(db, incident.id)


MITIGATED = ("mitigated",)
OVER = (*MITIGATED, "resolved")
"""The moments from which an incident is over; the first that is known counts."""


def over(db: Session, incident: Incident) -> Moment | None:
    """The moment from which a meeting is planned: mitigated, or resolved where nobody said mitigated."""
    return over_in(db, [incident.id]).get(incident.id)


def over_in(db: Session, numbers: Collection[int]) -> Mapping[int, Moment]:
    """That moment of each of these incidents that has one."""
    rows = db.scalars(select(Moment).where(Moment.incident_id.in_(numbers), Moment.name.in_(OVER)).order_by(Moment.id))
    latest = {(row.incident_id, row.name): row for row in rows}
    known = {key: row for key, row in latest.items() if row.at is not None}
    # What comes first among them counts most, so it is put last and stays.
    return {number: row for name in reversed(OVER) for (number, of), row in known.items() if of == name}


def lengths(db: Session, incident: Incident) -> Sequence[tuple[str, str]]:
    """How long what took, where it is known: a formula and the time in words."""
    moments = {name: row.at for name, row in incidents.moments(db, incident.id).items() if row.at}
    seconds = asdict(durations(moments))
    return [(FORMULAS[name], in_words(length)) for name, length in seconds.items() if length is not None]


def over_since(db: Session, incident: Incident) -> datetime | None:
    """When that was; None while it goes on."""
    row = over(db, incident)
    return row.at if row else None


LONG_AGO = timedelta(days=7)


def is_long_ago(db: Session, incident: Incident, *, now: datetime) -> bool:
    """Whether an incident is too old to be met about unless somebody asks.

    It has been over for more than a week, or it began more than a week before it was opened here.
    """
    over_at, began_at = over_since(db, incident), incidents.moment(db, incident.id, "began")
    if over_at is None:
        return False
    return over_at < now - LONG_AGO or (began_at is not None and began_at < incident.opened_at - LONG_AGO)


def plan(
    db: Session,
    incident: Incident,
    *,
    at: datetime,
    minutes: int = 60,
    by: str | None,
    now: datetime,
    speakers: participants.Speakers = participants.NOBODY,
) -> Meeting:
    """A new meeting, where the last one sat, with those who are proposed for it, or were asked to the last one."""
    meeting = add_meeting(db, of(db, incident), minutes=minutes)
    place = usual_place(db, incident)
    meeting.channel_id, meeting.thread_ts = place.channel, place.thread or None
    meeting.meets_at, meeting.scheduled_at, meeting.scheduled_by = at, now, by
    meeting.zone = people.zone(db, incident.team_id, by)
    meeting.uid, meeting.first_meets_at = new_uid(db, meeting), at
    before = last_met(db, incident)
    if before and attending.core(db, before):
        _ask_again(db, incident, meeting, before, now=now)
        return meeting
    who = participants.proposed(db, incident, speakers)
    for user in who.core:
        attending.invite(db, meeting, user, core=now, now=now, why=", ".join(who.speaks_for.get(user, ())) or None)
    for user in who.readers:
        attending.invite(db, meeting, user, core=None, now=now)
    return meeting


def last_met(db: Session, incident: Incident) -> Meeting | None:
    """The last meeting of everybody about what is over now: not what they met about before it broke again."""
    last, over_at = last_held(db, of(db, incident)), over_since(db, incident)
    is_of_now = last and last.meets_at and last.opened_at and over_at and last.opened_at >= over_at
    return last if is_of_now else None


def _ask_again(db: Session, incident: Incident, meeting: Meeting, before: Meeting, *, now: datetime) -> None:
    """Whoever was asked to the one before, and can still come; who was let off stays so."""
    asked = attending.attendees(db, before)
    able = participants.able(db, incident, [row.user_id for row in asked])
    for row in asked:
        if row.user_id in able:
            attending.invite(db, meeting, row.user_id, core=row.core_since and now, now=now, why=row.why)


def new_uid(db: Session, meeting: Meeting) -> str:
    """What calendars know a meeting by: like no other's in the world, though two workspaces count alike."""
    key = people.workspace(db, meeting.team_id).mark_key.encode()[: hashlib.blake2b.MAX_KEY_SIZE]
    return f"{hashlib.blake2b(f'meeting:{meeting.id}'.encode(), key=key, digest_size=16).hexdigest()}@debrief"


def move(db: Session, meeting: Meeting, *, to: datetime, by: str | None, now: datetime) -> None:
    """To another hour, for which people are called anew; what calendars hold of it is older now."""
    meeting.meets_at, meeting.scheduled_at, meeting.scheduled_by = to, now, by
    meeting.zone, meeting.called_at, meeting.asked_at = people.zone(db, meeting.team_id, by), None, None
    meeting.sequence += 1
    db.flush()


def call_off(db: Session, meeting: Meeting, *, now: datetime) -> None:
    """It does not take place; calendars are to take it out."""
    meeting.cancelled_at = now
    meeting.sequence += 1
    db.flush()


def borne(db: Session, team: str, *, since: datetime) -> Counter[str]:
    """How many minutes outside their working hours people bore, or are to bear, in meetings since a moment."""
    rows = db.scalars(
        select(Meeting.burden).where(
            Meeting.team_id == team,
            Meeting.meets_at >= since,
            Meeting.cancelled_at.is_(None),
            Meeting.burden.is_not(None),
        )
    )
    return sum((Counter(burden) for burden in rows if burden), Counter[str]())


REASON = "why"
"""The word in a meeting's history for why somebody moved it or called it off."""


def in_time(db: Session, incident: Incident, *, wanted: timedelta) -> Mapping[int, InTime]:
    """Of the first meeting after mitigation, by number, whether it was inside so much time.

    A review alone or in threads has no hour and did not meet; a further meeting is late for nothing.
    """
    over_at, every = over_since(db, incident), meetings(db, of(db, incident))
    # What was planned before it broke again was of another mitigation.
    planned = {row.id: at for row in every if (at := row.first_meets_at) and over_at and at > over_at}
    met = [(row, at) for row in every if row.meets_at and (at := row.opened_at) and over_at and at >= over_at]
    if not met or not over_at:
        return {}
    row, met_at = met[0]
    changes = incidents.changes(db, incident.id, "meeting")
    history = [change for change in changes if change.subject_id in planned and change.at <= met_at]
    reasons = [change.after for change in history if change.what == REASON]
    return {
        row.number: InTime(
            over_at=over_at,
            met_at=met_at,
            wanted=wanted,
            first=next(iter(planned.values()), None),
            moved=sum(change.what == "meets_at" and change.before is not None for change in history),
            why=reasons[-1] if reasons else None,
        )
    }


def milestones(db: Session, incident: Incident) -> Milestones:
    """What has happened to a review so far: all that its stage is read from."""
    review = of(db, incident)
    planned, held = planned_meeting(db, review), open_meeting(db, review) or last_held(db, review)
    return Milestones(
        mitigated_at=incidents.moment(db, incident.id, "mitigated"),
        scheduled_at=planned.scheduled_at if planned else None,
        meets_at=planned.meets_at if planned else None,
        pre_read_sent_at=review.pre_read_sent_at,
        opened_at=held.opened_at if held else None,
        ended_at=held.ended_at if held else None,
        drafted_at=review.drafted_at,
        approved_at=review.approved_at,
        published_at=review.published_at,
        closed_at=review.closed_at,
        skipped_at=review.skipped_at,
        cancelled_at=review.cancelled_at,
    )


def stage(db: Session, incident: Incident) -> Stage:
    """Where the review of an incident stands."""
    return stage_of(milestones(db, incident))


# What was noted -----------------------------------------------------------


def note_down(
    db: Session, meeting: Meeting, text: str, *, topic: str, by: str, parked: datetime | None, now: datetime
) -> None:
    """Write something down in a meeting."""
    db.add(
        MeetingNote(
            team_id=meeting.team_id, meeting_id=meeting.id, topic=topic, text=text, by=by, at=now, parked_at=parked
        )
    )
    db.flush()


def notes(db: Session, meeting: Meeting) -> Sequence[MeetingNote]:
    """What was noted and parked in a meeting, in order."""
    return db.scalars(select(MeetingNote).where(MeetingNote.meeting_id == meeting.id).order_by(MeetingNote.id)).all()


# What the clock asks ----------------------------------------------------------------------


def _planned() -> ColumnElement[bool]:
    return and_(
        OF_EVERYBODY,
        Meeting.scheduled_at.is_not(None),
        Meeting.meets_at.is_not(None),
        Meeting.cancelled_at.is_(None),
        Meeting.opened_at.is_(None),
        Meeting.ended_at.is_(None),
    )


def planned_between(db: Session, team: str, after: datetime, until: datetime) -> Sequence[tuple[Meeting, Incident]]:
    """Planned meetings, not yet opened, whose hour comes after one moment and not after another; the earliest first."""
    return _with_incident(db, team, and_(_planned(), Meeting.meets_at > after, Meeting.meets_at <= until))


def planned_too_soon(db: Session, team: str) -> Sequence[tuple[Meeting, Incident]]:
    """Planned meetings, not yet opened, of incidents that are not over, or not any more."""
    return _with_incident(db, team, and_(_planned(), ~is_over()))


def is_over(*more: ColumnElement[bool], by: Collection[str] = OVER) -> ColumnElement[bool]:
    """In a query over incidents: whether one of these moments is known, and is what `more` says of it."""
    later = aliased(Moment)
    same = (later.incident_id == Moment.incident_id, later.name == Moment.name, later.id > Moment.id)
    holds = and_(Moment.at.is_not(None), ~exists(select(later.id).where(*same)), *more)
    return exists(select(Moment.id).where(Moment.incident_id == Incident.id, Moment.name.in_(by), holds))


FORGOTTEN = "forgotten"
"""The word in a meeting's history for having ended by itself."""


def forgotten(db: Session, team: str, *, since: datetime) -> Sequence[tuple[Meeting, Incident]]:
    """Meetings that ended since a moment because nobody pressed end, and were not opened again."""
    rows = db.execute(
        select(Meeting, Incident, Change.after)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .join(Change, and_(Change.subject == "meeting", Change.subject_id == Meeting.id, Change.what == FORGOTTEN))
        .where(Meeting.team_id == team, Meeting.ended_at >= since)
        .order_by(Meeting.id)
    )
    # Opened again and ended anew, it has another end than the one in its history.
    return [(row, incident) for row, incident, at in rows if row.ended_at and row.ended_at.isoformat() == at]


def ended_by_itself(db: Session, meeting: Meeting) -> bool:
    """Whether nobody pressed end."""
    ended_at = meeting.ended_at.isoformat() if meeting.ended_at else ""
    of_it = and_(Change.subject == "meeting", Change.subject_id == meeting.id, Change.what == FORGOTTEN)
    return db.scalar(select(Change.id).where(of_it, Change.after == ended_at).limit(1)) is not None


def _with_incident(db: Session, team: str, which: ColumnElement[bool]) -> Sequence[tuple[Meeting, Incident]]:
    rows = db.execute(
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Meeting.team_id == team, which)
        .order_by(Meeting.meets_at.nulls_last(), Meeting.id)
    )
    return [(meeting, incident) for meeting, incident in rows]


def unpublished(db: Session, team: str, *, opened_since: datetime) -> Sequence[Incident]:
    """Incidents opened since a moment and over, whose review goes on and is not published yet."""
    goes_on = (Review.published_at.is_(None), Review.closed_at.is_(None))
    wanted = (Review.skipped_at.is_(None), Review.cancelled_at.is_(None))
    return db.scalars(
        select(Incident)
        .join(Review, Review.incident_id == Incident.id)
        .where(Incident.team_id == team, Incident.opened_at >= opened_since, *goes_on, *wanted, is_over())
        .order_by(Incident.id)
    ).all()


def sitting_elsewhere(db: Session, meeting: Meeting, place: Place) -> bool:
    """Whether the meeting of another review is open in this place."""
    other = select(Meeting.id).where(
        Meeting.team_id == meeting.team_id,
        Meeting.review_id != meeting.review_id,
        Meeting.channel_id == place.channel,
        func.coalesce(Meeting.thread_ts, "") == place.thread,
        Meeting.opened_at.is_not(None),
        Meeting.ended_at.is_(None),
    )
    return db.scalar(other.limit(1)) is not None


def under_way(db: Session, team: str) -> Sequence[tuple[Review, Incident]]:
    """Reviews that somebody is led through alone now, or that go on in threads."""
    rows = db.execute(
        select(Review, Incident)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Review.team_id == team, Review.stepped.is_not(None))
        .order_by(Review.id)
    )
    return [(review, incident) for review, incident in rows]


def without_a_plan(db: Session, team: str, *, opened_since: datetime) -> Sequence[Incident]:
    """Incidents opened since a moment, mitigated, whose review has no meeting planned or held and goes on."""
    return db.scalars(_waiting(team, opened_since).where(is_over(by=MITIGATED))).all()


def unasked(db: Session, team: str, *, opened_since: datetime) -> Sequence[Incident]:
    """Those of `without_a_plan` of which nobody was asked since they were mitigated."""
    since = or_(Review.proposed_at.is_(None), Moment.recorded_at > Review.proposed_at)
    return db.scalars(_waiting(team, opened_since).where(is_over(since, by=MITIGATED))).all()


def _waiting(team: str, opened_since: datetime) -> Select[Incident]:
    """What `stage_of` calls open or mitigated, without asking for each by itself."""
    sat = (Meeting.review_id == Review.id, OF_EVERYBODY, Meeting.cancelled_at.is_(None))
    exits = (Review.cancelled_at, Review.skipped_at, Review.closed_at, Review.published_at, Review.drafted_at)
    return (
        select(Incident)
        .join(Review, Review.incident_id == Incident.id)
        .where(Incident.team_id == team, Incident.opened_at >= opened_since, ~exists(select(Meeting.id).where(*sat)))
        .where(*(moment.is_(None) for moment in exits))
        .order_by(Incident.id)
    )
