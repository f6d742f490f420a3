"""The facts a report is made of, and the questions of writing it: whose draft is due, what was published."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from bot.review.agenda import Agenda
from bot.review.heard import moment_of
from bot.review.impact import Impact
from bot.review.report import (
    ActionFacts,
    AttendeeFacts,
    ChangeFacts,
    CommentFacts,
    EventFacts,
    EvidenceFacts,
    Facts,
    FileFacts,
    FindingFacts,
    IncidentFacts,
    MeetingFacts,
    MessageFacts,
    MessageRef,
    MomentFacts,
    NoteFacts,
    PlaceFacts,
    ReviewFacts,
    SourceFacts,
    TopicFacts,
    VersionFacts,
)
from storage import (
    actions,
    attending,
    findings,
    incidents,
    meetings_apart,
    messages,
    people,
    reactions,
    reviews,
    timeline,
)
from storage.incidents import visible_to
from storage.models import (
    Attendee,
    Change,
    EventComment,
    Incident,
    Meeting,
    MeetingNote,
    Membership,
    Message,
    MessageFile,
    MessageVersion,
    Review,
    RoleHeld,
    Source,
    TimelineEvent,
)
from storage.readings import HEALED
from storage.timeline import ToldEvent

RECENT = 5


# The facts ------------------------------------------------------------------------------


def incident(db: Session, team: str, incident_id: int) -> Incident | None:
    """The incident of this id, for the person at the machine."""
    return db.scalar(select(Incident).where(Incident.team_id == team, Incident.id == incident_id))


def read(db: Session, incident: Incident) -> Facts:
    """All a report tells; without the messages, which it does not."""
    return Facts(
        incident=_incident(db, incident),
        review=_review(db, incident),
        timeline=_timeline(db, incident),
        findings=_findings(db, incident),
        actions=_actions(db, incident),
        teams=meetings_apart.teams(db, incident.id),
    )


def read_whole(db: Session, incident: Incident) -> Facts:
    """All that is exported, every message with its versions, emoji and files."""
    return replace(read(db, incident), messages=tuple(messages_of(db, incident)))


def _incident(db: Session, incident: Incident) -> IncidentFacts:
    moments = incidents.moments(db, incident.id)
    return IncidentFacts(
        id=incident.id,
        team_id=incident.team_id,
        title=incident.title,
        severity=incident.severity,
        lead=incidents.roles(db, incident.id).lead,
        private=incident.private_since is not None,
        sources=tuple(map(_source, incidents.sources(db, incident.id))),
        moments={name: MomentFacts(at=row.at, by=row.by, how=row.how) for name, row in moments.items()},
        impact=Impact.from_json(incident.impact),
        summary=incident.summary,
        healed=tuple(_change(row) for row in incidents.changes(db, incident.id, "incident") if row.what == HEALED),
    )


def _source(row: Source) -> SourceFacts:
    return SourceFacts(
        channel_id=row.channel_id,
        channel_name=row.channel_name or None,
        thread_ts=row.thread_ts or None,
        from_=row.from_at,
        to=row.until_at,
    )


def _review(db: Session, incident: Incident) -> ReviewFacts:
    review, held = reviews.of(db, incident), incidents.roles(db, incident.id)
    return ReviewFacts(
        stage=reviews.stage(db, incident),
        facilitator=held.facilitator,
        scribe=held.scribe,
        owner=held.owner,
        meetings=tuple(_meeting(db, row) for row in reviews.meetings(db, review) if not row.cancelled_at),
        pre_read_sent_at=review.pre_read_sent_at,
        drafted_at=review.drafted_at,
        approved_at=review.approved_at,
        published_at=review.published_at,
        closed_at=review.closed_at,
        cancelled_at=review.cancelled_at,
        reason=review.reason,
    )


def _meeting(db: Session, row: Meeting) -> MeetingFacts:
    noted = reviews.notes(db, row)
    return MeetingFacts(
        number=row.number,
        meets_at=row.meets_at,
        minutes=row.minutes,
        place=_place(row),
        attendees=tuple(map(_attendee, attending.attendees(db, row))),
        recording=row.recording,
        topics=_topics(row),
        notes=tuple(_note(note) for note in noted if not note.parked_at),
        parked=tuple(_note(note) for note in noted if note.parked_at),
        scheduled_at=row.scheduled_at,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
    )


def _place(row: Meeting) -> PlaceFacts | None:
    if not row.channel_id and not row.call:
        return None
    return PlaceFacts(channel_id=row.channel_id, thread_ts=row.thread_ts, call=row.call)


def _attendee(row: Attendee) -> AttendeeFacts:
    return AttendeeFacts(user=row.user_id, core=row.core_since is not None, present=row.present_at is not None)


def _note(row: MeetingNote) -> NoteFacts:
    return NoteFacts(text=row.text, by=row.by, at=row.at, topic=row.topic)


def _topics(row: Meeting) -> tuple[TopicFacts, ...]:
    """Of a meeting that still sits, what the running topic has taken is left out: a fact does not change with time."""
    if not row.agenda:
        return ()
    agenda = Agenda.from_json(row.agenda)
    planned = [int(topic.planned.total_seconds()) for topic in agenda.topics]
    return tuple(
        TopicFacts(name=topic.name, planned_s=seconds, spent_s=spent)
        for topic, seconds, spent in zip(agenda.topics, planned, agenda.spent, strict=True)
    )


def _timeline(db: Session, incident: Incident) -> tuple[EventFacts, ...]:
    """What is on it now."""
    comments, history = _comments(db, incident), _history(db, incident, "event")
    url = people.workspace(db, incident.team_id).url
    return tuple(
        replace(_event(told, url), comments=comments.get(told.event.id, ()), history=history.get(told.event.id, ()))
        for told in timeline.told(db, incident.id)
    )


def _event(told: ToldEvent, url: str) -> EventFacts:
    row = told.event
    return EventFacts(
        number=row.number,
        kind=row.kind,
        outcome=row.outcome,
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        text=told.words,
        by=row.by,
        source=row.source,
        message=_ref(row.channel_id, row.ts),
        permalink=messages.permalink_of(told.message, url),
        question=row.question,
        answer=row.answer,
    )


def _ref(channel: str | None, ts: str | None) -> MessageRef | None:
    return MessageRef(channel_id=channel, ts=ts) if channel and ts else None


def _comments(db: Session, incident: Incident) -> dict[int, tuple[CommentFacts, ...]]:
    rows = db.scalars(
        select(EventComment)
        .join(TimelineEvent, TimelineEvent.id == EventComment.event_id)
        .where(TimelineEvent.incident_id == incident.id)
        .order_by(EventComment.id)
    )
    found: defaultdict[int, list[CommentFacts]] = defaultdict(list)
    for row in rows:
        found[row.event_id].append(CommentFacts(text=row.text, by=row.by, at=row.at))
    return {event: tuple(comments) for event, comments in found.items()}


def _history(db: Session, incident: Incident, subject: str) -> dict[int, tuple[ChangeFacts, ...]]:
    found: defaultdict[int, list[ChangeFacts]] = defaultdict(list)
    for row in incidents.changes(db, incident.id, subject):
        found[row.subject_id].append(_change(row))
    return {thing: tuple(changes) for thing, changes in found.items()}


def _change(row: Change) -> ChangeFacts:
    return ChangeFacts(what=row.what, from_=row.before, to=row.after, by=row.by, at=row.at)


def _findings(db: Session, incident: Incident) -> tuple[FindingFacts, ...]:
    events = findings.events_behind(db, incident.id)
    return tuple(
        FindingFacts(
            number=row.number,
            kind=row.kind,
            sort=row.sort,
            text=row.text,
            by=row.by,
            at=row.at,
            event=events.get(row.number),
        )
        for row in findings.of_incident(db, incident.id)
    )


def _actions(db: Session, incident: Incident) -> tuple[ActionFacts, ...]:
    answers, history = actions.answers(db, incident.id), _history(db, incident, "action")
    return tuple(
        ActionFacts(
            number=row.number,
            text=row.text,
            owner=row.owner,
            due=row.due,
            state=row.state,
            horizon=row.horizon,
            category=row.category,
            priority=row.priority,
            team=row.team,
            answers=tuple(answers.get(row.id, ())),
            second_order=row.second_order,
            evidence=EvidenceFacts(**{name: row.evidence.get(name) for name in EVIDENCE}),
            verified_by=row.verified_by,
            reason=row.reason,
            message=_ref(row.channel_id, row.ts),
            history=history.get(row.id, ()),
        )
        for row in actions.of_incident(db, incident.id)
    )


def people_in(facts: Facts) -> set[str]:
    """Everybody a report names, or whose mention somebody typed."""
    review, meetings = facts.review, facts.review.meetings
    named = {facts.incident.lead, review.facilitator, review.scribe, review.owner}
    named |= {attendee.user for meeting in meetings for attendee in meeting.attendees}
    named |= {note.by for meeting in meetings for note in (*meeting.notes, *meeting.parked)}
    named |= {event.by for event in facts.timeline} | {found.by for found in facts.findings}
    named |= {comment.by for event in facts.timeline for comment in event.comments}
    named |= {user for action in facts.actions for user in (action.owner, action.verified_by)}
    return {user for user in named if user} | set(MENTION.findall(repr(facts)))


MENTION = re.compile(r"@([A-Z0-9]{3,})")
"""`<@U0MARA>` as it was typed, and `@U0MARA` as it stands in the words of a message."""
EVIDENCE = ("deployed", "tested", "documented")


def messages_of(db: Session, incident: Incident) -> Iterator[MessageFacts]:
    """Every message of an incident in order of ts, read a part at a time."""
    url = people.workspace(db, incident.team_id).url
    for rows in messages.pages_of_incident(db, incident.id):
        versions, files = messages.versions_of(db, rows), messages.files_of(db, rows)
        held = reactions.of(db, rows)
        for row in rows:
            yield _message(
                row,
                url,
                versions=versions.get(row.id, []),
                files=files.get(row.id, []),
                held=held.get(row.id, {}),
            )


def _message(
    row: Message,
    url: str,
    *,
    versions: Sequence[MessageVersion],
    files: Sequence[MessageFile],
    held: Mapping[str, Sequence[str]],
) -> MessageFacts:
    return MessageFacts(
        channel_id=row.channel_id,
        ts=row.ts,
        thread_ts=row.thread_ts,
        user=row.user_id,
        bot=row.bot_name or row.bot_id,
        subtype=row.subtype,
        text=None if row.deleted_at or row.purged_at else row.text,
        plain=None if row.deleted_at or row.purged_at else row.plain,
        edited_at=moment_of(row.edited_ts) if row.edited_ts else None,
        versions=tuple(VersionFacts(text=version.text, at=version.at) for version in versions),
        deleted_at=row.deleted_at,
        missing_since=row.missing_since,
        reactions={name: tuple(users) for name, users in held.items()},
        redactions=tuple(row.redactions or ()),
        files=tuple(map(_file, files)),
        permalink=messages.permalink_of(row, url),
    )


def _file(row: MessageFile) -> FileFacts:
    return FileFacts(
        id=row.file_id,
        name=row.name or None,
        mimetype=row.mimetype or None,
        size=row.size or None,
        sha256=row.sha256,
        skipped=row.skipped,
    )


# What is due, what is there -----------------------------------------------------------


def without_draft(db: Session, team: str, *, ended_before: datetime) -> list[tuple[Review, Incident]]:
    """Reviews that met, ended before a moment, and have no draft since and no exit.

    Those that sit now are left out, and so are those whose draft was approved or published: it stands as it was.
    """
    sitting = exists(select(Meeting.id).where(_of_review(), Meeting.opened_at.is_not(None), Meeting.ended_at.is_(None)))
    newer = or_(Review.drafted_at.is_(None), Meeting.ended_at > Review.drafted_at)
    ended = exists(select(Meeting.id).where(_of_review(), Meeting.ended_at <= ended_before, newer))
    return _unfinished(db, team, ended, ~sitting)


def waiting_drafts(db: Session, team: str) -> list[tuple[Review, Incident]]:
    """Reviews whose draft was written by itself and that nobody has approved."""
    of_it = and_(Change.subject == "review", Change.subject_id == Review.id, Change.what == "drafted")
    by_itself = exists(select(Change.id).where(of_it, Change.by.is_(None), Change.at == Review.drafted_at))
    return _unfinished(db, team, by_itself)


def _unfinished(db: Session, team: str, *which: ColumnElement[bool]) -> list[tuple[Review, Incident]]:
    over = (Review.approved_at, Review.published_at, Review.closed_at, Review.skipped_at, Review.cancelled_at)
    query = (
        select(Review, Incident)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Review.team_id == team, *which, *(moment.is_(None) for moment in over))
        .order_by(Review.id)
    )
    return [(review, incident) for review, incident in db.execute(query)]


def _of_review() -> ColumnElement[bool]:
    """A team that met apart is none of it: everybody is yet to meet."""
    return and_(Meeting.review_id == Review.id, reviews.OF_EVERYBODY)


def coming(db: Session, team: str, user: str) -> list[tuple[Meeting, Incident]]:
    """The meetings to come, or sitting now, that a person is invited to or has a role in, and may see."""
    invited = exists().where(
        Attendee.meeting_id == Meeting.id, Attendee.user_id == user, Attendee.uninvited_at.is_(None)
    )
    has_role = exists().where(RoleHeld.incident_id == Incident.id, RoleHeld.user_id == user, RoleHeld.until.is_(None))
    query = (
        select(Meeting, Incident)
        .join(Review, Review.id == Meeting.review_id)
        .join(Incident, Incident.id == Review.incident_id)
        .where(
            Meeting.team_id == team,
            or_(invited, has_role),
            Meeting.scheduled_at.is_not(None),
            Meeting.cancelled_at.is_(None),
            Meeting.ended_at.is_(None),
            Review.cancelled_at.is_(None),
            visible_to(user),
        )
        .order_by(Meeting.meets_at.nulls_last(), Meeting.id)
    )
    return [(meeting, incident) for meeting, incident in db.execute(query)]


def published(db: Session, team: str, user: str, *, at_most: int = RECENT) -> list[tuple[Review, Incident]]:
    """The newest reports this person may see."""
    query = (
        select(Review, Incident)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Review.team_id == team, Review.published_at.is_not(None), visible_to(user))
        .order_by(Review.published_at.desc(), Review.id.desc())
        .limit(at_most)
    )
    return [(review, incident) for review, incident in db.execute(query)]


def published_since(db: Session, team: str, since: datetime) -> list[tuple[Review, Incident]]:
    """The reviews published after a moment, the oldest first."""
    query = (
        select(Review, Incident)
        .join(Incident, Incident.id == Review.incident_id)
        .where(Review.team_id == team, Review.published_at > since)
        .order_by(Review.published_at, Review.id)
    )
    return [(review, incident) for review, incident in db.execute(query)]


def insiders(db: Session, incident: Incident) -> Sequence[str]:
    """Those in a channel of the incident who may see it now."""
    inside = (
        select(Membership.user_id)
        .join(Source, and_(Source.team_id == Membership.team_id, Source.channel_id == Membership.channel_id))
        .join(Incident, Incident.id == Source.incident_id)
        .where(Incident.id == incident.id, Membership.left_at.is_(None), visible_to(Membership.user_id))
    )
    return db.scalars(inside.distinct()).all()
